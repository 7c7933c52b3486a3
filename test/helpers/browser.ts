import { execFileSync } from 'node:child_process';
import { chromium, type Browser } from 'playwright-core';

/** What the package's builds run on. */
export const HAS_BROWSER = process.platform === 'linux' && process.arch === 'x64';

/**
 * Chromium as it comes with the package, which unpacks it into the temporary folder once.
 * @param further command-line arguments
 */
export function launchBrowser(further: readonly string[] = []): Promise<Browser> {
  // A module that Jest can't import. Its arguments are for functions in a cloud, and turn web security off.
  const script = "console.log(await (await import('@sparticuz/chromium')).default.executablePath())";
  const options = ['--input-type=module', '--eval', script];
  const executablePath = execFileSync(process.execPath, options, { encoding: 'utf8' }).trim();
  // The sandbox needs rights that containers don't give; nothing is opened but our own pages.
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...further] });
}
