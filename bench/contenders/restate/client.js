require('./polyfill.js');
const clients = require('@restatedev/restate-sdk-clients');

/** One durable invocation per list; the answer comes when Restate's log has it. */
exports.connect = async ({ server }) => {
  const lists = clients.connect({ url: JSON.parse(server).ingress }).serviceSendClient({ name: 'lists' });
  return {
    send: (records, listId) =>
      lists.take({ listId, records }, clients.rpc.sendOpts({ idempotencyKey: listId })),
  };
};
