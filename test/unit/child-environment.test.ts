import { fetchingEnvironment, serverEnvironment } from '../../src/temporal/embedded/child-environment';

const OURS = {
  PATH: '/bin',
  HOME: '/home/us',
  LC_ALL: 'C.UTF-8',
  GOMEMLIMIT: '1GiB',
  GOPROXY: 'https://proxy.example',
  GIT_SSL_NO_VERIFY: 'true',
  https_proxy: 'http://proxy.example:3128',
  HTTPS_PROXY: 'http://proxy.example:3128',
  SSL_CERT_FILE: '/etc/certificates.pem',
  UNSET: undefined,
  KEEPAPART_POSTGRES_URL: 's3cret',
  KEEPAPART_API_KEYS: 's3cret',
  TEMPORAL_API_KEY: 's3cret',
  GITHUB_TOKEN: 's3cret',
  AWS_SECRET_ACCESS_KEY: 's3cret',
  POSTGRES_PASSWORD: 's3cret',
};

test('The embedded server gets what a program needs and what tunes it, and collects garbage less often.', () => {
  expect(serverEnvironment(OURS)).toEqual({
    PATH: '/bin',
    HOME: '/home/us',
    LC_ALL: 'C.UTF-8',
    GOMEMLIMIT: '1GiB',
    GOGC: '400',
  });
  expect(serverEnvironment({ GOGC: '100' })).toEqual({ GOGC: '100' });
});

test('What gets the server has the ways to the network as well, and still nothing that is secret.', () => {
  const theirs = fetchingEnvironment(OURS);
  expect(Object.keys(theirs)).toEqual(Object.keys(OURS).slice(0, 9));
  expect(Object.values(theirs)).not.toContain('s3cret');
});
