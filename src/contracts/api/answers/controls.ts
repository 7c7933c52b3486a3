import { z } from 'zod';
import { CONTROL_ACTIONS } from '../../workflow/controls';
import { count, timestamp } from './parts';

const controlSchema = z
  .strictObject({
    action: z.enum(CONTROL_ACTIONS),
    by: z.string(),
    at: timestamp(),
    detail: z
      .string()
      .nullable()
      .meta({ description: 'Of limits the change, of redrive the number of records' }),
    /** Numbers of the shards that it applied to. */
    shards: z.array(count()),
  })
  .meta({ id: 'Control' });
/** Something that was done by an operator, or by a process at its start. */
export type ControlView = z.infer<typeof controlSchema>;

export const controlsSchema = z
  .strictObject({
    controls: z
      .array(controlSchema)
      .meta({ description: 'The latest first. Each batcher remembers its latest 20' }),
  })
  .meta({ id: 'Controls' });
export type ControlsView = z.infer<typeof controlsSchema>;
