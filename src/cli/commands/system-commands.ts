import type { Command } from 'commander';

type Register = (program: Command) => void;

/**
 * What runs the system, or looks at it from beneath: in its folders, at its Temporal server. In the order of the help.
 * Each with what makes it: Temporal's SDK and Express take a second to load, which no other command should wait for.
 */
const COMMANDS: readonly { names: readonly string[]; load: () => Promise<Register> }[] = [
  {
    names: ['serve', 'api', 'worker', 'temporal'],
    load: async () => (await import('./role-commands.js')).registerRoles,
  },
  { names: ['demo'], load: async () => (await import('./demo/demo-command.js')).registerDemo },
  { names: ['config'], load: async () => (await import('./config-command.js')).registerConfig },
  { names: ['bench'], load: async () => (await import('./bench/bench-command.js')).registerBench },
  { names: ['drain'], load: async () => (await import('./drain-command.js')).registerDrain },
  { names: ['rescue'], load: async () => (await import('./rescue-command.js')).registerRescue },
  { names: ['replay'], load: async () => (await import('./replay/replay-command.js')).registerReplay },
  { names: ['versions'], load: async () => (await import('./versions-command.js')).registerVersions },
];

/** Adds the command that is called; all of them when it is none of these, for the help. */
export async function registerSystemCommands(program: Command, called: string | undefined): Promise<void> {
  program.commandsGroup('The system itself:');
  const wanted = COMMANDS.filter(({ names }) => called !== undefined && names.includes(called));
  for (const { load } of wanted.length > 0 ? wanted : COMMANDS) {
    const register = await load();
    register(program);
  }
}
