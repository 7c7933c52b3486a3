import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Links between the documents, and how long the paragraphs are that an operator reads under pressure. */
const ROOT = path.resolve(__dirname, '../..');
const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

const withoutCode = (markdown: string) => markdown.replace(/^```.*?^```$/gms, '');
const read = (page: string) => withoutCode(readFileSync(path.join(ROOT, page), 'utf8'));

/** The anchors that GitHub makes of a page's headings; a repeated heading gets a number. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of read(page).matchAll(/^#+ (.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let free = anchor;
    for (let count = 1; anchors.has(free); count++) free = `${anchor}-${count}`;
    anchors.add(free);
  }
  return anchors;
}

test.each(PAGES)('every link of %s leads to a file, and to a heading where it names one', (page) => {
  const broken = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].filter(
    ([, file = '', anchor]) => {
      const target = file === '' ? page : path.join(path.dirname(page), file);
      if (!existsSync(path.join(ROOT, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
    },
  );
  expect(broken.map(([link]) => link)).toEqual([]);
});

test.each(['OPERATIONS', 'RUNBOOK', 'AUDIT', 'UPGRADES'])(
  'no paragraph of docs/%s.md has more than 400 characters',
  (name) => {
    const blocks = read(`docs/${name}.md`).split(/\n{2,}|\n(?=(?:[-|]|\d+\.) )/);
    const cells = blocks.flatMap((block) => (block.startsWith('|') ? block.split(/ *(?<!\\)\| */) : [block]));
    expect(
      cells.map((text) => text.trim()).filter((text) => text.length > 400 && !/^-+$/.test(text)),
    ).toEqual([]);
  },
);
