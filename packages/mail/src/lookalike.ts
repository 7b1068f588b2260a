// Names that look alike: two of them have the same skeleton when a reader may take one for the other (after Unicode
// TR 39, for the letters that host names and mail addresses are forged with).
import { domainToUnicode } from 'node:url'

/** Each letter stands for those after it. */
const LOOKALIKES = [
  'aаɑα⍺',
  'bЬьƄ',
  'cсϲⅽᴄ',
  'dԁⅾɗ',
  'eеҽ℮єε',
  'fғƒ',
  'gɡցǥ',
  'hһհҺ',
  'iіıɩιїⅰℹ',
  'jјϳ',
  'kкκҝ',
  'lӏⅼɭłι|1',
  'mмⅿɱ',
  'nոռпη',
  'oоοօσ०๐0ø',
  'pрρ⍴',
  'qԛգզ',
  'rгᴦɾ',
  'sѕꜱʂ',
  'tтτţŧ',
  'uսυʋц',
  'vνѵⅴᴠ',
  'wԝѡɯωш',
  'xхⅹ×χ',
  'yуүγʏ',
  'zᴢʐ',
  '-‐‑‒–—−﹣ー',
  '.。．｡․‧·',
]
const BASE = new Map(LOOKALIKES.flatMap(([base = '', ...others]) => others.map((other) => [other, base] as const)))

const MOST_LETTERS = 255

/** What a name looks like: letters of other scripts as the Latin ones they resemble, no accents, nothing invisible. */
export function skeleton(name: string): string {
  // No longer name is one in DNS, and reading A-labels takes the square of their length.
  const shown = name.length > MOST_LETTERS ? name : domainToUnicode(name) || name
  const plain = shown
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\p{Cc}\s]/gu, '')
  const letters = [...plain].map((letter) => BASE.get(letter) ?? letter).join('')
  return letters.replaceAll('rn', 'm').replaceAll('vv', 'w')
}
