import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeConfig,
  formatBytes,
  loadConfig,
  SETTING_KEYS,
  SETTINGS,
  settingName,
  type Setting,
  type SettingKey,
} from '../../src/config';

const HASH = 'a'.repeat(64);

describe('describeConfig', () => {
  const loaded = loadConfig({
    env: { KEEPAPART_API_KEYS: `shop:${HASH}:read+ingest,ops:${HASH}`, KEEPAPART_MAX_RECORD_BYTES: '1 KiB' },
  });

  test('has a row for every setting: value, unit and where it came from', () => {
    const rows = describeConfig(loaded);
    expect(rows.map((row) => row.setting)).toEqual(SETTING_KEYS.map(settingName));
    expect(rows).toContainEqual({
      setting: 'MAX_RECORD_BYTES',
      value: 1024,
      unit: 'bytes',
      source: 'environment',
    });
    expect(rows).toContainEqual({
      setting: 'CONFLICTS',
      value: [{ pair: [1, 2] }],
      unit: '',
      source: 'default',
    });
  });

  test('shows of API keys their names and rights alone, and no hash', () => {
    const rows = describeConfig(loaded);
    expect(rows).toContainEqual({
      setting: 'API_KEYS',
      value: ['shop:ingest+read', 'ops:ingest+read+operate'],
      unit: '',
      source: 'environment',
    });
    expect(JSON.stringify(rows)).not.toContain(HASH);
  });
});

describe('docs/CONFIGURATION.md', () => {
  // Prettier pads the cells of tables; what counts is what they hold.
  const docs = readFileSync(join(__dirname, '../../docs/CONFIGURATION.md'), 'utf8').replace(/ +/g, ' ');

  /** What the page has to say of a setting: a row of a table and, where there is more to say, a line of a list. */
  function textsOf(key: SettingKey): { row: string; line: string } {
    const { parser, default: value, unit, about, related, raising } = SETTINGS[key] as Setting<unknown>;
    const shown = typeof value === 'number' && unit === 'bytes' ? formatBytes(value) : value;
    const code = typeof shown === 'string' ? shown : JSON.stringify(shown);
    const more = [related, raising].filter(Boolean).join(' ');
    return {
      row: `| \`${settingName(key)}\` | \`${code}\` | ${unit ?? ''} | ${parser.expected} | ${about} |\n`.replace(
        / +/g,
        ' ',
      ),
      line: more && `- \`${settingName(key)}\`: ${more}\n`,
    };
  }

  test.each(SETTING_KEYS)('says of %s, word for word, what the table of settings says', (key) => {
    const { row, line } = textsOf(key);
    expect(docs).toContain(row);
    expect(docs).toContain(line);
  });

  test('has no row and no line for anything else', () => {
    const named = (marker: string) =>
      [...docs.matchAll(new RegExp(`^${marker} \`([A-Z0-9_]+)\``, 'gm'))].map((m) => m[1]);
    expect(named('\\|').sort()).toEqual(SETTING_KEYS.map(settingName).sort());
    const withLine = SETTING_KEYS.filter((key) => textsOf(key).line !== '');
    expect(named('-').sort()).toEqual(withLine.map(settingName).sort());
  });

  test('every setting that is a number says what raising it costs', () => {
    const ports: SettingKey[] = ['httpPort', 'tcpPort', 'temporalPort', 'uiPort', 'metricsPort'];
    const silent = SETTING_KEYS.filter((key) => {
      const { default: value, raising } = SETTINGS[key] as Setting<unknown>;
      return typeof value === 'number' && !ports.includes(key) && raising === undefined;
    });
    expect(silent).toEqual([]);
  });
});
