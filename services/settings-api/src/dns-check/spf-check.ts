// SPF (RFC 7208): is there one record, can it be evaluated, and does it let our servers send?
import { spf } from 'mailauth/lib/spf/index.js'
import {
  advice,
  type CheckContext,
  lookUp,
  lookUpTexts,
  missing,
  type Note,
  type RecordCheck,
  several,
  wrong,
} from './record-check.ts'
import { isSpf, parseSpf, type SpfRecord } from './spf-record.ts'

/** RFC 7208 section 4.6.4. */
const MOST_LOOKUPS = 10
/** Records that includes lead to; more are not read, because there are too many already. */
const MOST_RECORDS = 20
const MOST_ADDRESSES = 8

export async function checkSpf(context: CheckContext): Promise<RecordCheck> {
  const { domain, resolve } = context
  const check = { purpose: 'spf', name: domain, expected: 'v=spf1 mx -all' } as const
  const texts = await lookUpTexts(resolve, domain, isSpf)
  switch (texts.kind) {
    case 'unknown':
      return { ...check, found: [], notes: [texts.note] }
    case 'none':
      return { ...check, found: [], notes: [NO_RECORD] }
    case 'found': {
      const [record, ...more] = texts.records
      if (more.length > 0) return { ...check, found: texts.records, notes: [several('SPF', more.length + 1)] }
      const walk = new Walk(resolve)
      await walk.into(domain, record!)
      const notes = [...walk.notes, ...ownNotes(parseSpf(record!))]
      const isReadable = !notes.some(({ weight }) => weight === 'wrong')
      return { ...check, found: [record!], notes: isReadable ? [...notes, ...(await senderNotes(context))] : notes }
    }
  }
}

const NO_RECORD = missing(
  'SPF レコードがありません。受信側は、このドメインを騙るメールを見分けられません。',
  'There is no SPF record, so that receivers can not tell who may send mail of the domain.',
)

/** Follows includes and redirects, and counts what an evaluation may have to look up. */
class Walk {
  readonly notes: Note[] = []
  #resolve: CheckContext['resolve']
  #lookups = 0
  #records = 0

  constructor(resolve: CheckContext['resolve']) {
    this.#resolve = resolve
  }

  async into(domain: string, record: string): Promise<void> {
    await this.#read(domain, record)
    if (this.#lookups > MOST_LOOKUPS) this.notes.push(tooManyLookups(this.#lookups))
  }

  async #read(domain: string, record: string): Promise<void> {
    this.#records++
    const { terms, faulty } = parseSpf(record)
    for (const text of faulty.slice(0, 5)) this.notes.push(notReadable(domain, text))
    for (const { name, value } of terms) {
      if (['include', 'a', 'mx', 'ptr', 'exists', 'redirect'].includes(name)) this.#lookups++
      if (name === 'ptr') this.notes.push(usesPtr(domain))
      const isNested = name === 'include' || name === 'redirect'
      if (isNested && !value.includes('%') && this.#records < MOST_RECORDS) await this.#follow(value)
    }
  }

  async #follow(domain: string): Promise<void> {
    const texts = await lookUpTexts(this.#resolve, domain, isSpf)
    if (texts.kind === 'unknown') this.notes.push(texts.note)
    else if (texts.kind === 'none') this.notes.push(leadsNowhere(domain))
    else if (texts.records.length > 1) this.notes.push(severalAt(domain))
    else await this.#read(domain, texts.records[0]!)
  }
}

function ownNotes({ terms }: SpfRecord): Note[] {
  const all = terms.findIndex(({ name }) => name === 'all')
  if (all < 0) return terms.some(({ name }) => name === 'redirect') ? [] : [NO_ALL]
  const after = terms.slice(all + 1).filter(({ text }) => !text.includes('='))
  const ignored = after.length > 0 ? [afterAll(after.map(({ text }) => text).join(' '))] : []
  switch (terms[all]!.qualifier) {
    case '+':
      return [...ignored, PASS_ALL]
    case '?':
      return [...ignored, NEUTRAL_ALL]
    case '~':
    case '-':
      return ignored
  }
}

const PASS_ALL = wrong(
  '「+all」は、世界中のどのサーバーからの送信も許可します。「-all」または「~all」にしてください。',
  'It ends with "+all", which lets everybody in the world send as the domain. Use "-all" or "~all".',
)
const NEUTRAL_ALL = advice(
  '「?all」では、なりすましが判定されません。「~all」または「-all」にしてください。',
  'It ends with "?all", which says nothing about forgeries. Use "~all" or "-all".',
)
const NO_ALL = advice(
  '末尾に「-all」または「~all」がありません。',
  'It does not end with "-all" or "~all", so that forgeries are not told apart.',
)

function afterAll(terms: string): Note {
  return wrong(`「all」より後ろの「${terms}」は無視されます。`, `What stands after "all" is ignored: ${terms}`)
}

function tooManyLookups(count: number): Note {
  return wrong(
    `評価に必要な DNS 問い合わせが ${count} 回以上あり、上限の ${MOST_LOOKUPS} 回を超えます。include を減らすか、ip4/ip6 に置き換えてください。`,
    `It needs ${count} or more DNS lookups; ${MOST_LOOKUPS} are allowed. Remove includes, or name addresses (ip4, ip6) in their place.`,
  )
}

function notReadable(domain: string, text: string): Note {
  const shown = text.slice(0, 80)
  return wrong(
    `${domain} の SPF レコードの「${shown}」は書式が正しくありません。`,
    `"${shown}" in the SPF record of ${domain} can not be read.`,
  )
}

function usesPtr(domain: string): Note {
  return advice(
    `${domain} の SPF レコードは ptr を使っています。遅く不確実なため、使わないでください (RFC 7208)。`,
    `The SPF record of ${domain} uses ptr, which is slow and unreliable and should not be used (RFC 7208).`,
  )
}

function leadsNowhere(domain: string): Note {
  return wrong(
    `include または redirect の先 ${domain} に SPF レコードがありません。`,
    `An include or redirect leads to ${domain}, which has no SPF record.`,
  )
}

function severalAt(domain: string): Note {
  return wrong(
    `include または redirect の先 ${domain} に SPF レコードが複数あります。`,
    `An include or redirect leads to ${domain}, which has several SPF records.`,
  )
}

/** Evaluates the record for the addresses of our own host name. */
async function senderNotes({ domain, mailHostname, resolve }: CheckContext): Promise<Note[]> {
  const a = await lookUp(mailHostname, 'A', () => resolve(mailHostname, 'A'))
  const aaaa = await lookUp(mailHostname, 'AAAA', () => resolve(mailHostname, 'AAAA'))
  const addresses = [a, aaaa].flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
  const notes: Note[] = []
  for (const ip of addresses.slice(0, MOST_ADDRESSES)) {
    const options = { sender: `postmaster@${domain}`, ip, helo: mailHostname, mta: mailHostname, strict: true }
    const { status } = await spf({ ...options, resolver: resolve } as Parameters<typeof spf>[0])
    if (status.result !== 'pass') notes.push(notAllowed(ip, mailHostname, status.result))
  }
  return notes
}

function notAllowed(ip: string, mailHostname: string, result: string): Note {
  return wrong(
    `${mailHostname} (${ip}) からの送信が許可されていません (結果: ${result})。「mx」または「a:${mailHostname}」を加えてください。`,
    `Mail from ${mailHostname} (${ip}) gets "${result}". Add "mx" or "a:${mailHostname}".`,
  )
}
