import { isLoopback } from '../../config';

/** For gRPC's channels, which would follow the environment's proxies to this very machine as well. */
export const WITHOUT_PROXY = { 'grpc.enable_http_proxy': 0 };

/** In the order in which gRPC looks. It knows no others, and no upper case. */
const VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy'] as const;

/** A proxy through which gRPC connects. */
export interface Proxy {
  /** The environment variable that names it. */
  variable: (typeof VARIABLES)[number];
  /** `host:port`, never the user and password that the URL may hold. */
  host: string;
}

/** The proxy through which gRPC goes to `address`, as the environment has it; never to this machine. */
export function proxyFor(address: string, env: Readonly<Record<string, string>>): Proxy | undefined {
  const host = hostOf(address);
  const variable = VARIABLES.find((name) => (env[name] ?? '') !== '');
  if (variable === undefined || isLoopback(host)) return undefined;
  const exceptions = (env['no_grpc_proxy'] || env['no_proxy'] || '').split(',').filter(Boolean);
  if (exceptions.some((suffix) => host.endsWith(suffix))) return undefined;
  const url = env[variable] ?? '';
  return { variable, host: URL.canParse(url) ? new URL(url).host : 'an address that is no URL' };
}

/** Without the port, and without the brackets of IPv6. */
export function hostOf(address: string): string {
  return /^\[?(.*?)\]?(?::\d+)?$/.exec(address)?.[1] ?? '';
}
