import fsPromises, { type FileHandle } from 'node:fs/promises';

/** A call into `node:fs/promises`, or into one of its file handles, which carry the path they were opened with. */
export interface FsCall {
  name: string;
  path: string;
  /** Of a handle's methods. */
  fd?: number;
}

const FUNCTIONS = ['link', 'mkdir', 'open', 'readdir', 'readFile', 'rename', 'rm', 'rmdir', 'stat', 'unlink'];
const HANDLE_METHODS = ['writeFile', 'sync', 'close'];

type AsyncFunction = (...args: unknown[]) => Promise<unknown>;

/**
 * Calls `before` ahead of every call into the file system; what it throws, the caller gets. For what can't be had on
 * demand: the order of syncs, a kill between two calls, a file system without hard links.
 * @returns a function that puts the original functions back
 */
export function interceptFs(before: (call: FsCall, args: readonly unknown[]) => unknown): () => void {
  const functions = fsPromises as unknown as Record<string, AsyncFunction>;
  const originals = FUNCTIONS.map((name) => [name, functions[name] as AsyncFunction] as const);

  for (const [name, original] of originals) {
    functions[name] = async (...args) => {
      const path = String(args[0]);
      await before({ name, path }, args);
      const result = await original(...args);
      return name === 'open' ? interceptHandle(result as FileHandle, path, before) : result;
    };
  }
  return () => originals.forEach(([name, original]) => (functions[name] = original));
}

function interceptHandle(
  handle: FileHandle,
  path: string,
  before: (call: FsCall, args: readonly unknown[]) => unknown,
): FileHandle {
  const methods = handle as unknown as Record<string, AsyncFunction>;
  for (const name of HANDLE_METHODS) {
    const original = (methods[name] as AsyncFunction).bind(handle);
    methods[name] = async (...args) => {
      await before({ name, path, fd: handle.fd }, args);
      return original(...args);
    };
  }
  return handle;
}
