import type { Config } from '../config';
import type { SpanProcessor, Tracing } from '../contracts/tracing';
import { KeepapartError } from '../domain/errors';
import { missingPackage } from './missing-package';
import { releaseVersion } from './release';

/** The packages that traces need besides an exporter, in versions that fit together. */
const PACKAGES = [
  '@opentelemetry/api@~1.9.1',
  '@opentelemetry/core@^2.12.1',
  '@opentelemetry/resources@^2.12.1',
  '@opentelemetry/sdk-trace-base@^2.12.1',
];

/**
 * Loads what needs OpenTelemetry's SDK, which only those install who want traces.
 * @param exporter the package that sends spans, with its version; none if the app has one
 * @throws `invalid-config` when a package isn't installed, with the command that does it
 */
export async function loadTracing<Module>(load: () => Promise<Module>, exporter?: string): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const missing = missingPackage(cause, '@opentelemetry/');
    if (missing === undefined) throw cause;
    const install = [...PACKAGES, ...(exporter === undefined ? [] : [exporter])].join(' ');
    throw new KeepapartError(
      'invalid-config',
      `Traces need the package ${missing}, which is not installed: npm install ${install}`,
      { cause },
    );
  }
}

/** What makes spans for an app that keepapart is embedded in: nothing unless the app says where they go. */
export async function tracingOfApp(
  { traceSlowMs: slowMs }: Config,
  processors: readonly SpanProcessor[] = [],
): Promise<Tracing | undefined> {
  if (processors.length === 0) return undefined;
  const { createTracing } = await loadTracing(() => import('../tracing/tracing.js'));
  return createTracing({ processors, version: releaseVersion(), slowMs });
}
