// Domains that look like one that somebody knows: confusable letters (Unicode TR39), other endings, hyphens, typing errors,
// and known names inside longer ones. What is compared is what people read, not what is registered.
import { domainToUnicode } from 'node:url'
import { parse } from 'tldts'
import unhomoglyph from 'unhomoglyph'

/** How one domain resembles another. */
export type Resemblance = 'confusable' | 'ending' | 'hyphens' | 'near' | 'inside'

/** A domain taken apart for comparison. */
export interface ComparedDomain {
  /** The registrable domain, in A-labels; the whole name where there is none. */
  registrable: string
  /** The whole name, in A-labels. */
  name: string
  /** The label before the public suffix, as people read it. */
  label: string
  skeleton: string
}

const SHORTEST_NEAR = 5
const SHORTEST_TWO_OFF = 10
const SHORTEST_INSIDE = 5
const SHORTEST_OTHER_ENDING = 4

export function compared(domain: string): ComparedDomain {
  const name = domain.toLowerCase()
  const { domain: registrable, domainWithoutSuffix } = parse(name, {
    allowPrivateDomains: true,
    validateHostname: false,
  })
  const label = domainToUnicode(domainWithoutSuffix || name.split('.')[0]!) || name
  return { registrable: registrable ?? name, name, label, skeleton: skeletonOf(label) }
}

/** What a name looks like (TR39 section 4), and pairs of letters that pass for one in the fonts of mail clients. */
function skeletonOf(label: string): string {
  return unhomoglyph(label.normalize('NFKD').toLowerCase())
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('w', 'vv')
    .replaceAll('d', 'cl')
    .replaceAll('1', 'l')
    .replaceAll('0', 'o')
    .replaceAll('i', 'l')
}

/** How the domain resembles the known one; undefined when it does not, or is the same or below it. */
export function resemblance(domain: ComparedDomain, known: ComparedDomain): Resemblance | undefined {
  if (domain.registrable === known.registrable) return undefined
  if (domain.label === known.label) return known.label.length >= SHORTEST_OTHER_ENDING ? 'ending' : undefined
  if (domain.skeleton === known.skeleton) return 'confusable'
  const skeletons = withoutHyphens(domain.skeleton, known.skeleton)
  if (skeletons[0] === skeletons[1]) return 'hyphens'
  const labels = withoutHyphens(domain.label, known.label)
  const most = mostEdits(Math.min(labels[0].length, labels[1].length))
  if (isNear(...labels, most) || isNear(...skeletons, most)) return 'near'
  return isInside(domain, known) ? 'inside' : undefined
}

function withoutHyphens(one: string, other: string): [string, string] {
  return [one.replaceAll('-', ''), other.replaceAll('-', '')]
}

/** In short names every other one is near. */
function mostEdits(length: number): number {
  if (length >= SHORTEST_TWO_OFF) return 2
  return length >= SHORTEST_NEAR ? 1 : 0
}

function isNear(one: string, other: string, most: number): boolean {
  return most > 0 && Math.abs(one.length - other.length) <= most && editDistance(one, other, most) <= most
}

/** example-support.test, support-example.test, and example.com.evil.test. */
function isInside(domain: ComparedDomain, known: ComparedDomain): boolean {
  if (known.label.length < SHORTEST_INSIDE) return false
  const parts = domain.skeleton.split('-')
  const isPart =
    parts.length > 1 && (parts.includes(known.skeleton) || `-${domain.skeleton}-`.includes(`-${known.skeleton}-`))
  return isPart || `.${domain.name}`.includes(`.${known.registrable}.`)
}

/** Insertions, deletions, changes and swaps of neighbours that lead from one to the other; gives up above `most`. */
export function editDistance(one: string, other: string, most: number): number {
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1))
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      if (isSwap) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    if (Math.min(...row) > most) return most + 1
    before = last
    last = row
  }
  return last[other.length]!
}
