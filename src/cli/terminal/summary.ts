import path from 'node:path';
import { colours } from './colours';

/** What a process tells the person who started it. */
export interface Summary {
  apiUrl?: string | undefined;
  gatewayAddress?: string | undefined;
  webUiUrl?: string | undefined;
  temporalAddress: string;
  outDir?: string | undefined;
  /** Host, port and database of the record store, where that is in Postgres. */
  postgres?: string | undefined;
  /** Bucket, prefix and server of the record store, where that is in S3. */
  s3?: string | undefined;
  needsKey: boolean;
}

/** A few lines for the terminal: where everything is, and one command to try. */
export function renderSummary(summary: Summary): string {
  const { apiUrl, gatewayAddress, webUiUrl, temporalAddress, outDir, postgres, s3, needsKey } = summary;
  const rows: [string, string | undefined][] = [
    ['API', apiUrl && `${apiUrl}/v1/records`],
    ['Dashboard', apiUrl && `${apiUrl}/`],
    ['TCP gateway', gatewayAddress],
    ['Temporal Web UI', webUiUrl],
    ['Temporal', temporalAddress],
    ['Postgres', postgres],
    ['S3', s3],
    ['Batch files', outDir && path.resolve(outDir)],
  ];
  const lines = rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${colours.dim(name.padEnd(16))} ${value ?? ''}`);
  const key = needsKey ? ` -H 'authorization: Bearer YOUR_KEY'` : '';
  const tryIt = apiUrl !== undefined && [
    '',
    `  ${colours.dim('Try it')}`,
    `  curl -X POST ${apiUrl}/v1/records -H 'content-type: application/json'${key} -d '[1,2,3,4,5]'`,
  ];
  return [
    '',
    colours.bold('keepapart is running'),
    '',
    ...lines,
    ...(tryIt || []),
    '',
    `  ${colours.dim('Ctrl-C stops it.')}`,
    '',
    '',
  ].join('\n');
}
