// Judges the packages as they are packed: publint, and arethetypeswrong for each way in which TypeScript resolves modules.
// Prints what is wrong, and how large they are; exits with 1 when anything is. `npm run check:package`
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packPackages } from './pack-packages.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'keepapart-pack-'));
try {
  for (const packed of packPackages(folder)) {
    const tarball = readFileSync(path.join(folder, packed.filename));
    // The server's package has no code, so no types either.
    const hasTypes = !packed.filename.startsWith('keepapart-server');
    const wrong = [...(await byPublint(tarball)), ...(hasTypes ? await byTypes(tarball) : [])];
    for (const line of wrong) console.error(line);
    const mebibytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
    console.log(
      `${packed.filename}: ${packed.entryCount} files, ${mebibytes(packed.size)} packed, ` +
        `${mebibytes(packed.unpackedSize)} unpacked; ${wrong.length === 0 ? 'nothing' : wrong.length} wrong`,
    );
    if (wrong.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function byPublint(tarball) {
  const { buffer, byteOffset, byteLength } = tarball;
  const pack = { tarball: buffer.slice(byteOffset, byteOffset + byteLength) };
  const { messages, pkg } = await publint({ pack, level: 'suggestion', strict: true });
  return messages.map((message) => `publint: ${message.type}: ${formatMessage(message, pkg)}`);
}

async function byTypes(tarball) {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  if (analysis.types === false) return ['arethetypeswrong: the package has no types'];
  return analysis.problems.map((problem) => `arethetypeswrong: ${JSON.stringify(problem)}`);
}
