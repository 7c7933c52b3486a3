/** Prefix of every environment variable of this project. */
export const ENV_PREFIX = 'KEEPAPART_';

/** `httpPort` → `HTTP_PORT`: a setting's name in the documentation and in `keepapart.config.json`. */
export function settingName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** `httpPort` → `KEEPAPART_HTTP_PORT`. */
export function envName(key: string): string {
  return `${ENV_PREFIX}${settingName(key)}`;
}

/** `httpPort` → `--http-port`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}`;
}
