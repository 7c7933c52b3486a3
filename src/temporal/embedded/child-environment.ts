import type { Environment } from './executable';

/** What any program may need to run: where things are, and how to speak to people. */
const COMMON = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LANG', 'LANGUAGE'],
  ...['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'DYLD_FALLBACK_LIBRARY_PATH'],
];
/** How Go's own runtime is tuned. */
const GO_RUNTIME = ['GOGC', 'GOMAXPROCS', 'GOMEMLIMIT', 'GODEBUG', 'GOTRACEBACK'];
const PROXIES = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'];
const CERTIFICATES = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'];

/**
 * How much of its heap the server lets turn into garbage, in per cent, before it collects (Go's own setting, 100 unless it
 * is set): at 400 it takes about a sixth less CPU, and some 80 MiB more of memory under load.
 */
const GOGC = '400';

/**
 * What the embedded server gets of our environment: chosen, rather than hidden, so that no password, key or address that
 * is meant for us reaches a process whose environment others may read.
 */
export function serverEnvironment(env: Environment): Environment {
  return { GOGC, ...pick(env, [...COMMON, ...GO_RUNTIME], /^LC_/) };
}

/** What getting the server needs: besides, the ways to the network, and the settings of Go and Git for a build. */
export function fetchingEnvironment(env: Environment): Environment {
  const names = [...COMMON, ...PROXIES, ...PROXIES.map((name) => name.toUpperCase()), ...CERTIFICATES];
  return pick(env, [...names, 'SSH_AUTH_SOCK', 'NETRC'], /^(LC_|XDG_|GO|GIT_)/);
}

function pick(env: Environment, names: readonly string[], pattern: RegExp): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => value !== undefined && (names.includes(name) || pattern.test(name)),
    ),
  );
}
