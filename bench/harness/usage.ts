import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** What a process with everything below it has used. */
export interface Usage {
  cpuMs: number;
  /** The sum of the greatest resident sizes that each process had. */
  peakBytes: number;
}

/** Linux counts CPU time in hundredths of a second wherever it is told to programs. */
const TICK_MS = 10;

/** CPU time that the whole machine has been busy, and what its cores had to give, both since it started. */
export async function machineCpu(): Promise<{ busyMs: number; totalMs: number }> {
  const [first = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const ticks = first.split(/\s+/).slice(1, 9).map(Number);
  const totalMs = ticks.reduce((sum, some) => sum + some, 0) * TICK_MS;
  const [, , , idle = 0, waiting = 0] = ticks;
  return { busyMs: totalMs - (idle + waiting) * TICK_MS, totalMs };
}

interface ProcessLine {
  parent: number;
  /** Its own, and that of its children that have ended. */
  cpuMs: number;
}

/** The usage of each of these processes, with their descendants. Zero for one that is gone. */
export async function usageOf(pids: readonly number[]): Promise<Usage[]> {
  const processes = await readProcesses();
  const treeOf = treesIn(processes);
  return Promise.all(
    pids.map(async (root) => {
      const tree = treeOf(root);
      const cpuMs = tree.reduce((sum, pid) => sum + (processes.get(pid)?.cpuMs ?? 0), 0);
      const peaks = await Promise.all(tree.map(peakBytes));
      return { cpuMs, peakBytes: peaks.reduce((sum, bytes) => sum + bytes, 0) };
    }),
  );
}

/** Of each of these processes: its own id and those of its descendants. */
export async function processTrees(pids: readonly number[]): Promise<number[][]> {
  return pids.map(treesIn(await readProcesses()));
}

function treesIn(processes: ReadonlyMap<number, ProcessLine>): (pid: number) => number[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of processes) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const treeOf = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(treeOf)];
  return treeOf;
}

/** CPU time of these processes by the names of their threads, in milliseconds; those that have ended share a name. */
export async function threadTimes(pids: readonly number[]): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  const add = (name: string, ms: number) => times.set(name, (times.get(name) ?? 0) + ms);
  for (const pid of pids) {
    let ended = await cpuTimeIn(`/proc/${pid}/stat`);
    for (const thread of await readdir(`/proc/${pid}/task`).catch(() => [])) {
      const { name, cpuMs } = await cpuTimeIn(`/proc/${pid}/task/${thread}/stat`);
      add(name, cpuMs);
      ended = { ...ended, cpuMs: ended.cpuMs - cpuMs };
    }
    add('(ended)', Math.max(0, ended.cpuMs));
  }
  return times;
}

/** Zero for a process or thread that is gone. */
async function cpuTimeIn(file: string): Promise<{ name: string; cpuMs: number }> {
  const line = await readFile(file, 'utf8').catch(() => '');
  const [user = 0, system = 0] = line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return { name: line.slice(line.indexOf('(') + 1, line.lastIndexOf(')')), cpuMs: (user + system) * TICK_MS };
}

async function readProcesses(): Promise<Map<number, ProcessLine>> {
  const found = new Map<number, ProcessLine>();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      // The name in brackets may hold spaces and brackets: what counts comes after the last one.
      const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
      if (fields === undefined) return;
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      found.set(Number(pid), { parent: Number(fields[1]), cpuMs: ticks * TICK_MS });
    }),
  );
  return found;
}

async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Bytes that a folder takes on its disk, as `du` counts them. What vanishes meanwhile counts nothing. */
export async function diskBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const full = path.join(folder, entry.name);
      if (entry.isDirectory()) return diskBytes(full);
      const found = await stat(full).catch(() => undefined);
      return (found?.blocks ?? 0) * 512;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
