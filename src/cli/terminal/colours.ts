import pc from 'picocolors';

/*
 * Colours have a meaning: green for done well, red for damage and what was lost, yellow for what waits for somebody, dim
 * for what frames the figures. The text says the same without them.
 */

/** Colours for stdout: none where it isn't a terminal, whatever CI or the environment of a test says. */
export const colours = pc.createColors(process.stdout.isTTY ? pc.isColorSupported : false);

/** The same for stderr. */
export const errorColours = pc.createColors(process.stderr.isTTY ? pc.isColorSupported : false);
