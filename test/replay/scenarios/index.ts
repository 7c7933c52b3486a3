import type { Scenario } from '../scenario';
import { SCENARIOS_OF_BATCHERS } from './batchers';
import { SCENARIOS_OF_CHILDREN } from './children';
import { SCENARIOS_IN_BULK } from './children-in-bulk';
import { SCENARIOS_OF_IDS } from './ids';
import { SCENARIOS_OF_MESSAGES } from './messages';
import { SCENARIOS_OF_STREAMS } from './streams';

export const SCENARIOS: readonly Scenario[] = [
  ...SCENARIOS_OF_CHILDREN,
  ...SCENARIOS_IN_BULK,
  ...SCENARIOS_OF_BATCHERS,
  ...SCENARIOS_OF_IDS,
  ...SCENARIOS_OF_MESSAGES,
  ...SCENARIOS_OF_STREAMS,
];
