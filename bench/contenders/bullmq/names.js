/** What the programs that send and work have in common. */
exports.connectionTo = (server) => {
  const { hostname, port } = new URL(server);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
};
/** Kind `flow`: a job per record, and one per batch that waits for them. Kind `batch`: a job per batch. */
exports.RECORDS = 'records';
exports.BATCHES = 'batches';
