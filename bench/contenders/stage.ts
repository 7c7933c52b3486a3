import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { diskBytes, usageOf } from '../harness/usage';
import { profiling } from '../harness/profiling';
import {
  startPipedProgram,
  startProgram,
  type PipedProgram,
  type Program,
  type ProgramOptions,
} from '../harness/programs';
import { workEnvironment, type Work } from './work/work';

/** What a contender's programs are to the figures. */
export const ROLES = ['server', 'worker', 'api', 'client'] as const;
export type Role = (typeof ROLES)[number];

/** What each role has used so far. */
export interface RoleUsage {
  role: Role;
  cpuMs: number;
  peakBytes: number;
}

export type StartOptions = Pick<ProgramOptions, 'up' | 'stopSignal'> & { env?: NodeJS.ProcessEnv };

/** Where one contender runs once: its folders and programs, all gone at the end. */
export interface Stage {
  work: Work;
  /** Makes a folder for a server's data, which counts as what the contender keeps on disk. */
  dataFolder(name: string): Promise<string>;
  /** Starts a program whose CPU time and memory count for a role. */
  start(role: Role, command: string, args: readonly string[], options: StartOptions): Promise<Program>;
  /** Starts a script on the Node of this run. */
  startNode(role: Role, args: readonly string[], options: StartOptions): Promise<Program>;
  /** Starts the program that sends, which is talked to by lines. */
  startClient(command: string, args: readonly string[], options: StartOptions): Promise<PipedProgram>;
  usage(): Promise<RoleUsage[]>;
  /** The processes that were started for a role, without their descendants. */
  pidsOf(role: Role): number[];
  /** Bytes in all data folders. */
  diskBytes(): Promise<number>;
  /** Ends all programs, those that were started last first. */
  stop(): Promise<void>;
}

export async function openStage(
  folder: string,
  settings: Omit<Work, 'outDir' | 'stagingDir'>,
): Promise<Stage> {
  const work: Work = {
    ...settings,
    outDir: path.join(folder, 'out'),
    stagingDir: path.join(folder, 'staging'),
  };
  for (const made of [work.outDir, work.stagingDir]) await mkdir(made, { recursive: true });
  const dataFolders: string[] = [];
  const started: { role: Role; program: Program }[] = [];
  let programs = 0;
  const prepared = (role: Role, { env = {}, ...options }: StartOptions): ProgramOptions => ({
    ...options,
    cwd: folder,
    env: { ...inherited(), NODE_ENV: 'production', ...workEnvironment(work), ...env },
    log: path.join(folder, `${role}-${++programs}.log`),
  });
  async function add<T extends Program>(role: Role, starting: Promise<T>): Promise<T> {
    const program = await starting;
    started.push({ role, program });
    return program;
  }
  return {
    work,
    async dataFolder(name) {
      const made = path.join(folder, name);
      await mkdir(made, { recursive: true });
      dataFolders.push(made);
      return made;
    },
    start: (role, command, args, options) => add(role, startProgram(command, args, prepared(role, options))),
    startNode: (role, args, options) =>
      add(role, startProgram(process.execPath, [...profiling(role), ...args], prepared(role, options))),
    startClient: (command, args, options) =>
      add('client', startPipedProgram(command, args, prepared('client', options))),
    async usage() {
      const usages = await usageOf(started.map(({ program }) => program.pid));
      return ROLES.map((role) => {
        const of = usages.filter((_, i) => started[i]?.role === role);
        const sum = (key: 'cpuMs' | 'peakBytes') => of.reduce((total, usage) => total + usage[key], 0);
        return { role, cpuMs: sum('cpuMs'), peakBytes: sum('peakBytes') };
      }).filter(({ peakBytes }) => peakBytes > 0);
    },
    pidsOf: (role) => started.flatMap((one) => (one.role === role ? [one.program.pid] : [])),
    async diskBytes() {
      const sizes = await Promise.all(dataFolders.map(diskBytes));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    async stop() {
      for (const { program } of started.splice(0).reverse()) await program.stop();
    },
  };
}

/** Our own environment without the settings of keepapart and Temporal. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(KEEPAPART_|TEMPORAL_)/.test(name)),
  );
}
