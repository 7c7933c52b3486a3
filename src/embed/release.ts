import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const FOLDER = folderOfPackage();

/** This release, as package.json says it. */
export function releaseVersion(): string {
  return (JSON.parse(readFileSync(path.join(FOLDER, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Where the build has put what the page at `/docs` loads. */
export const SWAGGER_UI_FOLDER = path.join(FOLDER, 'dist/swagger-ui');

/** Where the build has put the dashboard. */
export const DASHBOARD_FOLDER = path.join(FOLDER, 'dist/ui');

/** It is above both the sources and the build output. */
function folderOfPackage(): string {
  let folder = __dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}
