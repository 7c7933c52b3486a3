import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const FOLDER = path.resolve(__dirname, '../../dist/ui');
const KIB = 1024;

test('Everything that the dashboard loads is at most 60 KB when compressed.', () => {
  const sizes = readdirSync(FOLDER)
    .filter((name) => !name.endsWith('.txt'))
    .map((name) => gzipSync(readFileSync(path.join(FOLDER, name))).length);
  expect(sizes.length).toBeGreaterThan(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60 * KIB);
});

test('The page names only files of its own, and holds neither script nor style of its own.', () => {
  const page = readFileSync(path.join(FOLDER, 'index.html'), 'utf8');
  const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target ?? '');
  const names = readdirSync(FOLDER).map((name) => `/ui/${name}`);
  expect(loaded.filter((target) => target !== '/docs').every((target) => names.includes(target))).toBe(true);
  expect(page).not.toMatch(/<style|<script(?![^>]*src=)|\sstyle=|\son\w+=/);
});
