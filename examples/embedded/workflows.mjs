// A workflow that the app had before keepapart.
export async function confirmOrder(order) {
  return `order ${order} is confirmed`;
}
