import pc from 'picocolors';

/** Colours for stdout: none where it isn't a terminal, whatever CI or the environment of a test says. */
export const colours = pc.createColors(process.stdout.isTTY ? pc.isColorSupported : false);
