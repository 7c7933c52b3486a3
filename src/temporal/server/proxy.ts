import { isLoopback } from '../../config';

/** Channel option for connections to this machine: without it, gRPC would send them through the environment's proxy. */
export const WITHOUT_PROXY = { 'grpc.enable_http_proxy': 0 };

/** In gRPC's order of precedence. It reads no other variables, and none in upper case. */
const VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy'] as const;

/** A proxy that gRPC connects through. */
export interface Proxy {
  /** The environment variable that names it. */
  variable: (typeof VARIABLES)[number];
  /** `host:port`, without the user and password that the URL may contain. */
  host: string;
}

/** The proxy that gRPC uses for `address` in this environment; none for this machine. */
export function proxyFor(address: string, env: Readonly<Record<string, string>>): Proxy | undefined {
  const host = hostOf(address);
  const variable = VARIABLES.find((name) => (env[name] ?? '') !== '');
  if (variable === undefined || isLoopback(host)) return undefined;
  const exceptions = (env['no_grpc_proxy'] || env['no_proxy'] || '').split(',').filter(Boolean);
  if (exceptions.some((suffix) => host.endsWith(suffix))) return undefined;
  const url = env[variable] ?? '';
  return { variable, host: URL.canParse(url) ? new URL(url).host : 'an invalid URL' };
}

/** Removes the port, and the brackets of IPv6. */
export function hostOf(address: string): string {
  return /^\[?(.*?)\]?(?::\d+)?$/.exec(address)?.[1] ?? '';
}
