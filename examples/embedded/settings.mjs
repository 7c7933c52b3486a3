// What both processes have to agree on. Names are those of docs/CONFIGURATION.md, in camel case.
const name = process.env.NAME ?? 'orders';

/** @type {import('keepapart/express').KeepapartSettings} */
export const settings = {
  taskQueue: `${name}-keepapart`,
  batcherId: `${name}-keepapart`,
  conflicts: [{ distinct: '/customer' }],
  dataDir: './data',
  outDir: './data/out',
};

/** The task queue of the app's own workflows. */
export const taskQueue = name;

export const address = process.env.TEMPORAL_ADDRESS ?? 'localhost:7233';
