import { Command } from 'commander';
import { missingServer } from '../process/missing-server';

type Register = (program: Command) => void;

/** Commands for one purpose, in the order of the help. */
interface Group {
  heading: string;
  commands: readonly { names: readonly string[]; load: () => Promise<Register> }[];
}

/**
 * Every command, by what somebody wants to do. Each is loaded only when it is called: Temporal's SDK and Express take a
 * second to load, which no other command should wait for.
 */
const GROUPS: readonly Group[] = [
  {
    heading: 'Send records:',
    commands: [
      { names: ['send'], load: async () => (await import('./send/send-command.js')).registerSend },
      { names: ['import'], load: async () => (await import('./import/import-command.js')).registerImport },
    ],
  },
  {
    heading: 'See what happens:',
    commands: [
      { names: ['status'], load: async () => (await import('./status/status-command.js')).registerStatus },
      { names: ['why'], load: async () => (await import('./why-command.js')).registerWhy },
      { names: ['batches', 'request'], load: async () => (await import('./view-commands.js')).registerViews },
      { names: ['find'], load: async () => (await import('./find-command.js')).registerFind },
      { names: ['dashboard'], load: async () => (await import('./dashboard-command.js')).registerDashboard },
    ],
  },
  {
    heading: 'Control the flow:',
    commands: [
      {
        names: ['flush', 'pause', 'resume'],
        load: async () => (await import('./control-commands.js')).registerControls,
      },
      { names: ['limits'], load: async () => (await import('./limits-commands.js')).registerLimits },
      { names: ['drain'], load: async () => (await import('./drain-command.js')).registerDrain },
    ],
  },
  {
    heading: 'Repair and check:',
    commands: [
      {
        names: ['dead-letters', 'redrive'],
        load: async () => (await import('./dead-letter-commands.js')).registerDeadLetters,
      },
      { names: ['rescue'], load: async () => (await import('./rescue-command.js')).registerRescue },
      { names: ['audit'], load: async () => (await import('./audit/audit-command.js')).registerAudit },
    ],
  },
  {
    heading: 'Try rules and stores:',
    commands: [
      { names: ['rules'], load: async () => (await import('./rules/rules-commands.js')).registerRules },
      { names: ['store'], load: async () => (await import('./store-test/store-command.js')).registerStore },
    ],
  },
  {
    heading: 'Run the system:',
    commands: [
      {
        names: ['serve', 'api', 'worker', 'temporal'],
        load: async () => (await import('./role-commands.js')).registerRoles,
      },
      { names: ['demo'], load: async () => (await import('./demo/demo-command.js')).registerDemo },
      { names: ['config'], load: async () => (await import('./config-command.js')).registerConfig },
      { names: ['bench'], load: async () => (await import('./bench/bench-command.js')).registerBench },
    ],
  },
  {
    heading: 'Upgrade it:',
    commands: [
      { names: ['replay'], load: async () => (await import('./replay/replay-command.js')).registerReplay },
      { names: ['versions'], load: async () => (await import('./versions-command.js')).registerVersions },
    ],
  },
  {
    heading: 'Help:',
    commands: [
      {
        names: ['completion'],
        load: async () => {
          const { registerCompletion } = await import('./completion/completion-command.js');
          return (program) => registerCompletion(program, everyCommand);
        },
      },
    ],
  },
];

/** Adds the command that is called; all of them if it is none of these, for the help and its suggestions. */
export async function registerCommands(program: Command, called: string | undefined): Promise<void> {
  const isCalled = ({ names }: Group['commands'][number]) => called !== undefined && names.includes(called);
  const isKnown = GROUPS.some(({ commands }) => commands.some(isCalled));
  for (const { heading, commands } of GROUPS) {
    program.commandsGroup(heading);
    for (const command of commands) {
      if (isKnown && !isCalled(command)) continue;
      const register = await (isKnown ? command.load() : loadForHelp(command));
      register(program);
    }
  }
  program.addHelpCommand(
    new Command('help').argument('[command]').description('display help for command').helpGroup('Help:'),
  );
}

/** The help also lists commands that need what isn't installed; called, each says so. */
async function loadForHelp({ names, load }: Group['commands'][number]): Promise<Register> {
  try {
    return await load();
  } catch (error) {
    if (missingServer(error) === undefined) throw error;
    return (program) => {
      for (const name of names) program.command(name).description('needs keepapart-server');
    };
  }
}

async function everyCommand(): Promise<Command> {
  const program = new Command('keepapart');
  await registerCommands(program, undefined);
  return program;
}
