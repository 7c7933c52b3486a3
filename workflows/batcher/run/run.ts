import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../../../src/contracts/workflow/search-attributes';
import { OwnEvents } from './own-events';
import type { BatcherState } from './state';

/** What the handlers and the loop of one run share besides the state. Nothing of it is carried to the next run. */
export class Run {
  /** Set by whatever the loop must look at. True at first, because a carried buffer may have due records. */
  changed = true;
  /** Whether anything that callers wait for was done since the loop's last look; for `createTaskSharing`. */
  acted = false;
  readonly ownEvents = new OwnEvents();

  constructor(private readonly state: BatcherState) {}

  noteMessage(): void {
    this.state.messages++;
    this.changed = true;
  }

  /** Records an action that leaves an event in history. */
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
