import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CHART } from './chart-files';

/** The values that the chart is rendered with, each a file in `cases` with its result in `golden`. */
export const CASES = ['small', 'full', 's3'] as const;

export function valuesFile(name: string): string {
  return path.join(__dirname, 'cases', `${name}.yaml`);
}

export function goldenFile(name: string): string {
  return path.join(__dirname, 'golden', name === 'digest' ? name : `${name}.yaml`);
}

/**
 * SHA-256 of everything that the golden files were rendered from. Tests have no helm, so by this they know whether the
 * golden files are those of this chart.
 */
export function chartDigest(): string {
  const hash = createHash('sha256');
  const files = [
    ...readdirSync(CHART, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.\w+$/.test(name))
      .map((name) => path.join(CHART, name)),
    ...CASES.map(valuesFile),
  ];
  for (const file of files.sort()) hash.update(`${path.basename(file)}\n`).update(readFileSync(file));
  return hash.digest('hex');
}
