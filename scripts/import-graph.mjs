// Draws who imports whom, from the imports as they are, into docs/ARCHITECTURE.md: `npm run graph`. With --check it
// writes nothing and fails when the page is out of date. Either way it fails on an arrow that the layers don't allow:
// it reads all imports, also those that a comment has hidden from lint.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { LAYERS, ROOMS } from '../eslint.layers.mjs';

const root = path.resolve(import.meta.dirname, '..');
const page = path.join(root, 'docs/ARCHITECTURE.md');
const START = '<!-- graph:start -->';
const END = '<!-- graph:end -->';
const CLI = 'src/cli';
const DIRS = [...LAYERS.map(({ dir }) => dir), CLI];

process.chdir(root);
const imports = await readImports();
const arrows = foldToLayers(imports);
const refused = [
  ...arrows
    .filter(({ from, to }) => !isAllowed(from, to))
    .map(({ from, to, example }) => `${from} must not import ${to}: ${example}`),
  ...imports
    .filter(goesUpstairs)
    .map(({ source, target }) => `rooms import downwards only: ${source} → ${target}`),
  ...Object.keys(ROOMS).flatMap(roomsNobodyKnows),
];
for (const line of refused) console.error(line);
if (refused.length > 0) process.exit(1);

const before = readFileSync(page, 'utf8');
const after = withGraph(before, draw(arrows));
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('The graph in docs/ARCHITECTURE.md is out of date: npm run graph');
    process.exit(1);
  }
} else if (after !== before) {
  writeFileSync(page, after);
}

/** Every import between two files of the project, those of types too. */
async function readImports() {
  const tsConfig = extractTSConfig(path.join(root, 'tsconfig.json'));
  const { output } = await cruise(
    ['src', 'workflows', 'activities'],
    { tsPreCompilationDeps: true, doNotFollow: 'node_modules' },
    undefined,
    { tsConfig },
  );
  const imports = output.modules.flatMap(({ source, dependencies }) =>
    dependencies
      .filter(({ resolved, coreModule }) => !coreModule && !/(^|\/)node_modules\//.test(resolved))
      .map(({ resolved, couldNotResolve }) => {
        if (couldNotResolve) throw new Error(`${source} imports ${resolved}, which can't be found`);
        return { source, target: resolved };
      }),
  );
  if (imports.length === 0)
    throw new Error('no imports were found: does dependency-cruiser know this TypeScript?');
  return imports;
}

/** One arrow between each two layers of which a file imports from the other, with the first such import. */
function foldToLayers(imports) {
  const arrows = new Map();
  for (const { source, target } of imports) {
    const [from, to] = [layerOf(source), layerOf(target)];
    const name = `${from} ${to}`;
    if (from !== to && !arrows.has(name)) arrows.set(name, { from, to, example: `${source} → ${target}` });
  }
  return [...arrows.values()].sort((a, b) => rank(a.from) - rank(b.from) || rank(a.to) - rank(b.to));
}

/** A file's layer; a file outside of all layers stands for itself, so that the arrow to or from it is refused. */
function layerOf(file) {
  return DIRS.find((dir) => file.startsWith(`${dir}/`) || file === `${dir}.ts`) ?? file;
}

function isAllowed(from, to) {
  return from === CLI ? DIRS.includes(to) : LAYERS.some(({ dir, may }) => dir === from && may.includes(to));
}

/** Whether a file imports from a room that stands above its own in the same folder. */
function goesUpstairs({ source, target }) {
  return Object.entries(ROOMS).some(([dir, rooms]) => {
    const floorOf = (file) => rooms.findIndex((room) => file.startsWith(`${dir}/${room}/`));
    const [from, to] = [floorOf(source), floorOf(target)];
    return to >= 0 && from > to;
  });
}

/** Folders that the table of rooms doesn't name. */
function roomsNobodyKnows(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !ROOMS[dir].includes(entry.name))
    .map(({ name }) => `${dir}/${name} isn't in the table of rooms (eslint.layers.mjs)`);
}

/** Whom nobody imports stands first. */
function rank(layer) {
  return -DIRS.indexOf(layer);
}

function draw(arrows) {
  const names = [...new Set(arrows.flatMap(({ from, to }) => [from, to]))].sort((a, b) => rank(a) - rank(b));
  const id = (layer) => layer.replace(/\W/g, '_');
  return [
    'flowchart TD',
    ...names.map((layer) => `  ${id(layer)}["${layer}"]`),
    ...arrows.map(({ from, to }) => `  ${id(from)} --> ${id(to)}`),
  ].join('\n');
}

function withGraph(text, graph) {
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/ARCHITECTURE.md needs ${START} and ${END}`);
  return `${text.slice(0, start)}${START}\n\n\`\`\`mermaid\n${graph}\n\`\`\`\n\n${text.slice(end)}`;
}
