import { readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');
const BUNDLE = path.join(ROOT, 'dist/workflow-bundle.js');

/** A `.cpuprofile` of V8: the parts that are read here. Times in microseconds of the monotonic clock. */
interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame }[];
  startTime: number;
  samples: number[];
  timeDeltas: number[];
}

interface CallFrame {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
}

/** Where one thread spent its time. */
export interface ThreadProfile {
  /** `main`, or `worker thread <n>`. */
  thread: string;
  /** Milliseconds by category; `idle` is one of them. */
  selfMs: Map<string, number>;
}

/** Milliseconds of the monotonic clock. */
export interface Window {
  fromMs: number;
  toMs: number;
}

/** Reads the profiles of one role's processes; only samples within the window count. */
export async function readProfiles(folder: string, window: Window): Promise<ThreadProfile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile')).sort();
  return Promise.all(
    names.map(async (name) => {
      // CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile
      const thread = name.split('.')[4] ?? '';
      const profile = JSON.parse(await readFile(path.join(folder, name), 'utf8')) as CpuProfile;
      return {
        thread: thread === '0' ? 'main' : `worker thread ${thread}`,
        selfMs: selfTimes(profile, window),
      };
    }),
  );
}

function selfTimes({ nodes, startTime, samples, timeDeltas }: CpuProfile, { fromMs, toMs }: Window) {
  const categories = new Map(nodes.map(({ id, callFrame }) => [id, categoryOf(callFrame)]));
  const selfMs = new Map<string, number>();
  let atUs = startTime;
  for (const [i, id] of samples.entries()) {
    const deltaUs = timeDeltas[i] ?? 0;
    atUs += deltaUs;
    if (atUs < fromMs * 1000 || atUs > toMs * 1000) continue;
    const category = categories.get(id) ?? 'unknown';
    selfMs.set(category, (selfMs.get(category) ?? 0) + deltaUs / 1000);
  }
  return selfMs;
}

export const IDLE = 'idle';
/** Files of ours begin with this. */
export const OURS = 'ours: ';

const V8: Readonly<Record<string, string>> = {
  '(idle)': IDLE,
  '(garbage collector)': 'garbage collection',
  '(program)': 'native code outside of calls',
  '(root)': 'native code outside of calls',
};
const FILE_CALLS =
  /^(open|openFileHandle|close|read|readBuffers|readFileUtf8|write|writeBuffer|writeBuffers|writeString|writeFileUtf8|fsync|fdatasync|link|unlink|rename|stat|lstat|fstat|mkdir|readdir|access|internalModuleStat)$/;
const CRYPTO_CALLS =
  /^(Hash|update|digest|oneShotDigest|randomFillSync|getRandomValues|randomUUID|Hmac|hash)$/;

/** @returns what a function belongs to */
export function categoryOf({ functionName, url, lineNumber, columnNumber }: CallFrame): string {
  if (/^JSON_(parse|stringify)$/.test(functionName)) return 'JSON';
  if (url === '' || url.startsWith('evalmachine')) {
    const known = V8[functionName];
    if (known !== undefined) return known;
    // Functions that protobufjs compiles for each message.
    if (/\$(encode|decode|verify|fromObject|toObject)$/.test(functionName)) return 'protobuf';
    if (FILE_CALLS.test(functionName)) return 'native: files';
    if (CRYPTO_CALLS.test(functionName)) return 'native: crypto';
    if (/^(postMessage|receiveMessageOnPort|structuredClone)$/.test(functionName))
      return 'native: messages between threads';
    if (/^(runInContext|runMicrotasks|__TEMPORAL_CALL_INTO_SCOPE)$/.test(functionName))
      return 'native: entering workflows';
    return 'native: other';
  }
  if (url.startsWith('node:')) return "Node's own JavaScript";
  const file = url.replace(/^file:\/\//, '');
  if (/workflow-bundle[^/]*\.js$/.test(file)) return ofSource(sourceInBundle(lineNumber, columnNumber));
  return ofSource(file);
}

function ofSource(file: string): string {
  const packages = file.split('/node_modules/');
  if (packages.length > 1) {
    const inside = packages.at(-1) ?? '';
    const name = inside
      .split('/')
      .slice(0, inside.startsWith('@') ? 2 : 1)
      .join('/');
    if (/^(protobufjs|@protobufjs\/.*|@temporalio\/proto|long)$/.test(name)) return 'protobuf';
    if (/^(@temporalio\/.*|rxjs|nexus-rpc)$/.test(name)) return 'Temporal SDK';
    return `package ${name}`;
  }
  if (!path.isAbsolute(file)) return 'workflow bundle';
  const own = path.relative(ROOT, file).replace(/^dist(\.\d+)?\//, '');
  return `${OURS}${own.replace(/\.(js|ts)$/, '')}`;
}

let bundleMap: SourceMap | undefined;

/** The file from which webpack took a position of the workflow bundle. */
function sourceInBundle(line: number, column: number): string {
  bundleMap ??= readBundleMap();
  // Code that no source stands for has an entry without one, whatever the types say.
  const { originalSource }: { originalSource?: string } = bundleMap.findEntry(line, column);
  return originalSource ?? '';
}

function readBundleMap(): SourceMap {
  const [, encoded = ''] = /sourceMappingURL=data:[^,]+,(\S+)/.exec(readFileSync(BUNDLE, 'utf8')) ?? [];
  return new SourceMap(JSON.parse(Buffer.from(encoded, 'base64').toString()) as SourceMapPayload);
}
