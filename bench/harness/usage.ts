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
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of processes) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const treeOf = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(treeOf)];
  return Promise.all(
    pids.map(async (root) => {
      const tree = treeOf(root);
      const cpuMs = tree.reduce((sum, pid) => sum + (processes.get(pid)?.cpuMs ?? 0), 0);
      const peaks = await Promise.all(tree.map(peakBytes));
      return { cpuMs, peakBytes: peaks.reduce((sum, bytes) => sum + bytes, 0) };
    }),
  );
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
