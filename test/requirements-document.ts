// Renders docs/requirements.md from the list of requirements and the names of the black-box tests, so that the page
// can't speak of tests that are not there.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type Chapter, chapters, type Requirement } from './requirement-list.ts'

export const PAGE = new URL('../docs/requirements.md', import.meta.url)

interface NamedTest {
  file: string
  name: string
}

const TITLE = /\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g

const INTRODUCTION = [
  '# Requirements and their tests',
  '',
  'Two providers’ public pages are the specification (S1, S2); rows without an id are rules of ours where the pages',
  'are silent. Each id is in the names of the tests in [`test/`](../test) that show it, over real sockets on the whole',
  'running system; `npm test` runs them. **Later** says what of a row is not here yet.',
  '',
  'This page is made from the tests: `node deploy/local/run.mjs test/requirements-document.ts` writes it, and a test compares.',
  '',
]

/** Every black-box test with its file. */
export function namedTests(): NamedTest[] {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  return files.toSorted().flatMap((file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    return [...text.matchAll(TITLE)].map(([, quoted, template]) => ({ file, name: (quoted ?? template)! }))
  })
}

/** The tests that show this behaviour. */
export function testsOf({ ids, tests: pattern }: Requirement, tests: NamedTest[]): NamedTest[] {
  return tests.filter(({ file, name }) => {
    return ids.some((id) => name.split(' ').includes(id)) || pattern?.test(`${file} ${name}`) === true
  })
}

/** The page as it should be now. */
export function renderRequirements(): string {
  const tests = namedTests()
  return [...INTRODUCTION, ...chapters.flatMap((chapter) => renderChapter(chapter, tests))].join('\n')
}

function renderChapter({ title, requirements }: Chapter, tests: NamedTest[]): string[] {
  const rows = requirements.map((requirement) => renderRow(requirement, testsOf(requirement, tests)))
  return [`## ${title}`, '', '| id | behaviour | tests |', '| --- | --- | --- |', ...rows, '']
}

function renderRow({ ids, behaviour, later }: Requirement, tests: NamedTest[]): string {
  const shown = tests.map(({ file, name }) => `[${file.replace('.test.ts', '')}](../test/${file}): ${plain(name)}`)
  const cells = [...shown, ...(later === undefined ? [] : [`**Later:** ${later}`])]
  return `| ${ids.join(', ') || '—'} | ${behaviour} | ${cells.join('<br>')} |`
}

/** The name without its ids, which the row has, and with placeholders readable. */
function plain(name: string): string {
  return name
    .replaceAll(/\bS[12]-\d\d /g, '')
    .replaceAll("\\'", "'")
    .replaceAll(/\$\{(\w+)\}/g, '‹$1›')
    .replaceAll('|', '\\|')
}

if (process.argv[1] === import.meta.filename) writeFileSync(PAGE, renderRequirements())
