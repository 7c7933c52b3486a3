import type { Logger } from 'pino';
import { tracesFrom, type Config, type OtlpProtocol } from '../../config';
import type { Tracing } from '../../contracts/tracing';
import { SECOND } from '../../domain/duration';
import { loadTracing } from '../../embed/load-tracing';
import { releaseVersion } from '../../embed/release';
import type { Lifecycle } from './lifecycle';

/** How long a process that stops tries to send its last spans. */
const GRACE_MS = 5 * SECOND;

const EXPORTERS: Record<OtlpProtocol, string> = {
  'http/protobuf': '@opentelemetry/exporter-trace-otlp-proto@^0.223.1',
  'http/json': '@opentelemetry/exporter-trace-otlp-http@^0.223.1',
};

interface Context {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
}

/**
 * What makes spans, if OpenTelemetry's variables ask for it; otherwise nothing of it is loaded.
 * @throws `invalid-config`, also where a package is missing
 */
export async function startTracing({ config, logger, lifecycle }: Context): Promise<Tracing | undefined> {
  const asked = tracesFrom(process.env);
  if (asked === undefined) return undefined;
  const { createTracing, processor } = await loadTracing(async () => {
    const [{ createTracing }, { logProblems, otlpProcessor }] = await Promise.all([
      import('../../tracing/tracing.js'),
      import('../../tracing/otlp.js'),
    ]);
    logProblems(logger);
    return { createTracing, processor: await otlpProcessor(asked.protocol) };
  }, EXPORTERS[asked.protocol]);
  lifecycle.onStop('the traces', async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, GRACE_MS)));
    await Promise.race([processor.shutdown(), late]).finally(() => clearTimeout(timer));
  });
  return createTracing({ processors: [processor], version: releaseVersion(), slowMs: config.traceSlowMs });
}
