import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second wherever it is told to programs. */
const TICK_MS = 10;

/** CPU time so far of each of these processes with everything below it, in milliseconds. Linux only. */
export function cpuMsOf(pids: readonly number[]): number[] {
  const processes = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readProcess(name) : []));
  const ticksOf = (root: number): number =>
    processes.reduce((sum, { pid, parent, ticks }) => {
      if (pid === root) return sum + ticks;
      return parent === root ? sum + ticksOf(pid) : sum;
    }, 0);
  return pids.map((pid) => ticksOf(pid) * TICK_MS);
}

/** CPU time that the whole machine has been busy since it started, in milliseconds. */
export function machineCpuMs(): number {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = first
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softIrq + stolen) * TICK_MS;
}

function readProcess(name: string): { pid: number; parent: number; ticks: number }[] {
  try {
    const line = readFileSync(`/proc/${name}/stat`, 'utf8');
    // The name in brackets may hold spaces and brackets: what counts comes after the last one.
    const fields = line
      .slice(line.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + field, 0);
    return [{ pid: Number(name), parent: fields[1] ?? 0, ticks }];
  } catch {
    return [];
  }
}
