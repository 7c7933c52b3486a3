/**
 * What can be measured, one area at a time.
 *
 *   mutate    globs of the sources that are changed
 *   tests     globs of the tests that may notice; a changed line is only held against those that run it
 *   servers   what these need: `temporal` (the real server, and a Postgres), `postgres` or `none`
 *   bundle    whether the code runs in the workflow sandbox, so that a bundle has to be made of the changed sources
 */
export const AREAS = {
  domain: {
    mutate: ['src/domain/**/*.ts'],
    tests: [
      'test/unit/{apart,conflict-rules,explain,partition}/**',
      'test/unit/{audit,bounded-errors,buffer,carried-state,conflict-rules,conflict-scope,covered-rules,errors,flush-policy}*',
      'test/unit/{json,key-order,key-window,layout,limits,messages,outcome,packed-batch,paged-buffer,record,redrive}*',
      'test/unit/{repeated-streams,save-shape,shards,store-gate,stream-window,waits}*',
      'test/edge/*',
    ],
    servers: 'none',
    bundle: false,
  },
  store: {
    mutate: ['src/store/**/*.ts'],
    // Without those that take minutes: kills at every point, outages, whole servers.
    tests: [
      'test/store/{claims,closing-together,contract,durable-fs,failing-store,file-store,postgres-file,prepare-folders}*',
      'test/store/{publishing,rolling-back-together,saving-together,settling,sweep}*',
    ],
    servers: 'postgres',
    bundle: false,
  },
  activities: {
    mutate: ['activities/**/*.ts'],
    tests: [
      'test/unit/{activities,bounded-errors,bulk,settle-batch,store-gate}*',
      'test/store/{full-disk,overtaking,settling}*',
      'test/workflows/{pipeline,saving-in-bulk,store-away,stores-for-many,undoing,settling,bulk-children}*',
    ],
    servers: 'temporal',
    bundle: false,
  },
  shard: {
    mutate: ['src/temporal/shard/**/*.ts'],
    tests: [
      'test/unit/{admission,batcher-view,change-limits,drain,giving-way,group-commit,key-window,limits,messages,numbered,record-stream,repeated-streams,shards}*',
      'test/workflows/{after-termination,backlog,clients-apart,draining,fewer-shards,keys,limits,other-shards,pipeline,reading,repeated-messages,streams}*',
    ],
    servers: 'temporal',
    bundle: false,
  },
  workflows: {
    mutate: ['workflows/**/*.ts', '!workflows/replay/**', '!workflows/versioned.ts'],
    tests: [
      'test/unit/batcher/*',
      'test/unit/{activities,batcher-state,batcher-view,carried-state,child-bounds,child-payloads,conflict-scope}*',
      'test/unit/{limits,messages,query-guard,save-shape,sharing-tasks,store-notices,waits}*',
      'test/workflows/*',
    ],
    servers: 'temporal',
    bundle: true,
  },
};
