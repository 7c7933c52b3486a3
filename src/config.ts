/**
 * The configuration: environment, file and flags become one frozen {@link Config}, or one error that names everything
 * that is wrong. Temporal's own settings (`TEMPORAL_…`) are no part of it.
 */
export { encryptionKeys, type EncryptionKey } from './config/encryption-keys';
export { describeConfig, type ConfigRow } from './config/describe';
export { loadConfig, type ConfigInput, type LoadedConfig, type SettingSource } from './config/load';
export { envName, flagName, settingName } from './config/names';
export type { ApiKey } from './config/parse-lists';
export { formatBytes } from './config/parse';
export { showPostgresUrl } from './config/postgres-url';
export { isLoopback } from './config/relations';
export { hasFailingExample, isOwnStore } from './config/store-settings';
export { tracesFrom, type OtlpProtocol } from './config/traces';
export { SETTING_KEYS, SETTINGS, type Config, type Setting, type SettingKey } from './config/settings';
