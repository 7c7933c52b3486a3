import type { Command } from 'commander';
import { addApiFlags, openApi, type Flags } from './api-access';
import { AS_JSON, BY } from '../terminal/flags';
import { print } from '../terminal/text';

const CONTROLS = {
  flush: 'let everything that is buffered now go, whatever its age',
  pause: 'start no more batches; records are still accepted',
  resume: 'start batches again',
} as const;

const DONE: Record<keyof typeof CONTROLS, string> = {
  flush: 'Flushed: what is buffered goes as soon as there is room.',
  pause: 'Paused: no batch starts until `keepapart resume`.',
  resume: 'Resumed: batches start again.',
};

/** `keepapart flush`, `pause` and `resume`: through the HTTP API. */
export function registerControls(program: Command): void {
  for (const [name, description] of Object.entries(CONTROLS) as [keyof typeof CONTROLS, string][]) {
    addApiFlags(program.command(name).description(description))
      .option(...BY)
      .option(...AS_JSON)
      .addHelpText('after', `\nExample:\n  $ keepapart ${name} --by Ann`)
      .action(async (flags: Flags & { by?: string }) => {
        const answer = await openApi(flags)[name]({ by: flags.by });
        print(flags, answer, ({ by }) => `${DONE[name]} By ${by}.\n`);
      });
  }
}
