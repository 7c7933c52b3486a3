import type { Config } from '../../config';

/** What each leaves to nobody, as a umask: a batch file holds records, and so do the folders of records that wait. */
const MASK: Record<Config['fileAccess'], number> = { owner: 0o077, group: 0o027, all: 0 };

/** Before anything is created. Holds for the process and for those that it starts; takes away, and never gives. */
export function restrictFiles({ fileAccess }: Pick<Config, 'fileAccess'>): void {
  // Asked for with the strictest in force, rather than without: Node would set it to nothing for a moment.
  process.umask(process.umask(MASK.owner) | MASK[fileAccess]);
}
