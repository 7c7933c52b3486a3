import type { NeverRule, Selector } from '../../src/domain/rules';
import { selectorOf } from '../../src/domain/rules/selector';
import { bitsOf } from '../../src/domain/partition/conflict-graph';
import { Graph, setBit } from './graph';

/**
 * Throws when rules keep other records apart than a graph connects. Every pair of records counts; what a rule selects is
 * asked of the rule, not of the partitioner.
 */
export function checkRules(values: readonly number[], rules: readonly NeverRule[], graph: Graph): void {
  const meant = new Graph(values.length);
  for (const { never } of rules) {
    const left = selectedBy(never.left, values);
    const right = selectedBy(never.right, values);
    for (const vertex of bitsOf(left)) meant.pointTo(vertex, right);
    for (const vertex of bitsOf(right)) meant.pointTo(vertex, left);
  }
  for (const [vertex, row] of meant.rows.entries()) {
    if (row.some((word, at) => word !== graph.row(vertex)[at])) {
      throw new Error(`the rules keep other records apart from record ${vertex} than the graph does`);
    }
  }
}

function selectedBy(selector: Selector, values: readonly number[]): Int32Array {
  const selects = selectorOf(selector);
  const selected = new Int32Array((values.length + 31) >> 5);
  for (const [vertex, value] of values.entries()) if (selects(value)) setBit(selected, vertex);
  return selected;
}

/** Throws when batches don't hold every vertex exactly once, when one is empty or too large, or has a conflict. */
export function checkBatches(
  batches: readonly (readonly number[])[],
  graph: Graph,
  maxBatchSize: number,
): void {
  const seen = batches.flat().sort((a, b) => a - b);
  if (seen.length !== graph.size || seen.some((vertex, place) => vertex !== place)) {
    throw new Error('a record is missing, or twice in the batches');
  }
  for (const batch of batches) {
    if (batch.length === 0 || batch.length > maxBatchSize) throw new Error(`a batch of ${batch.length}`);
    for (const a of batch) {
      for (const b of batch) if (graph.areConnected(a, b)) throw new Error(`${a} and ${b} share a batch`);
    }
  }
}
