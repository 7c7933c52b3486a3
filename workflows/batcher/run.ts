import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import { OwnEvents } from './own-events';
import type { BatcherState } from './state';

/** What handlers and the loop of one run tell each other beside the state. Nothing of it is carried to the next run. */
export class Run {
  /** Set by whatever gives the loop something to look at. True at first: a carried buffer may hold due records. */
  changed = true;
  /** Whether anything that others wait for was done since the loop's last look, for `createTaskSharing`. */
  acted = false;
  readonly ownEvents = new OwnEvents();

  constructor(private readonly state: BatcherState) {}

  noteMessage(): void {
    this.state.messages++;
    this.changed = true;
  }

  /** Notes an act that leaves an event in history. */
  noteAct(): void {
    this.acted = true;
    this.ownEvents.note();
  }

  /** Shows in Temporal's Web UI whether the batcher is paused. */
  showState(): void {
    this.ownEvents.note();
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: workflowInfo().workflowId },
      { key: SEARCH_ATTRIBUTES.batcherState, value: this.state.paused === null ? 'running' : 'paused' },
    ]);
  }
}
