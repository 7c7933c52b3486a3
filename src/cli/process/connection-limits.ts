import { readFileSync } from 'node:fs';

/** Most connections that each server of this process takes at once. */
export interface ConnectionLimits {
  http: number;
  tcp: number;
}

/** What most systems allow where they don't say. */
const USUAL_DESCRIPTORS = 1024;

const MOST: ConnectionLimits = { http: 4096, tcp: 256 };

/**
 * Limits that leave a quarter of the file descriptors for everything else: files, the connection to Temporal, the database.
 * A process that runs out of them can't go on, so clients must not be able to take the last one.
 * @param descriptors how many this process may have open
 */
export function connectionLimits(descriptors = descriptorLimit()): ConnectionLimits {
  return {
    http: Math.max(1, Math.min(MOST.http, Math.floor(descriptors / 2))),
    tcp: Math.max(1, Math.min(MOST.tcp, Math.floor(descriptors / 8))),
  };
}

/** Only Linux tells it cheaply. Node has raised it to the hard limit by then. */
function descriptorLimit(): number {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return USUAL_DESCRIPTORS;
  }
  const soft = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1];
  return soft === 'unlimited' ? Infinity : Number(soft ?? USUAL_DESCRIPTORS);
}
