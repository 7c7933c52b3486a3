const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs something whose signal is aborted by the first Ctrl-C (or SIGTERM); a second one ends the process at once. */
export async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // Not `once`: a library that restores the cursor would take itself for the last listener, and end the process.
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error('interrupted'));
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await run(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, stop);
  }
}
