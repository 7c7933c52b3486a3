import { oneOf, text } from './parse';
import { setting } from './setting';

const WITH_S3 = 'Only used with STORE=s3';

/** All about the store in S3. Credentials are found by the AWS SDK itself. */
export const S3_SETTINGS = {
  s3Bucket: setting({
    parser: text('nothing, or the name of a bucket', /^(?:[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])?$/),
    default: '',
    about: 'Bucket that batches are written to; it must exist.',
    related:
      'Required with STORE=s3. Credentials come from the environment (AWS_ACCESS_KEY_ID, …), a profile, or the role of the machine or container.',
  }),
  s3Prefix: setting({
    parser: text(
      'nothing, or at most 200 letters, digits and . _ - = separated by slashes, without one at the beginning or end',
      /^(?!.{201})(?:[\w.=-]+(?:\/[\w.=-]+)*)?$/,
    ),
    default: 'keepapart',
    about: 'Prefix of all keys in the bucket, followed by a slash; empty for none.',
    related: `One for each installation. ${WITH_S3}.`,
  }),
  s3Region: setting({
    parser: text('nothing, or a region such as eu-central-1', /^(?:[a-z0-9][a-z0-9-]{0,62})?$/),
    default: '',
    about: 'Region of the bucket; empty to use AWS_REGION or the AWS profile.',
    related: `Servers other than AWS accept any, usually us-east-1. ${WITH_S3}.`,
  }),
  s3Endpoint: setting({
    parser: text(
      'nothing, or an http:// or https:// URL without user, password and path',
      /^(?:https?:\/\/[^\s/?#@\\]+\/?)?$/,
    ),
    default: '',
    about: 'Address of a server other than AWS that speaks the protocol of S3; empty for AWS.',
    related: `The server must support conditional writes (If-None-Match), which is checked at the start. ${WITH_S3}.`,
  }),
  s3PathStyle: setting({
    parser: oneOf('auto', 'on', 'off'),
    default: 'auto',
    about:
      'Whether the bucket is part of the path (on) or of the host name (off). auto: on if S3_ENDPOINT is set.',
    related: `${WITH_S3}.`,
  }),
  s3Compression: setting({
    parser: oneOf('none', 'gzip'),
    default: 'none',
    about: 'Whether the objects of batches are compressed. The batch files in OUT_DIR are not.',
    related: `Fixed when S3_PREFIX is first used; to change it, use another prefix. ${WITH_S3}.`,
  }),
};
