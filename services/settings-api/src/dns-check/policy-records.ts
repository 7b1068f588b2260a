// DMARC (RFC 9989) and TLS-RPT (RFC 8460): records of tags, with addresses for reports.
import { readTags } from '@sekimori/dns/dkim-record'
import {
  advice,
  type CheckContext,
  lookUpTexts,
  missing,
  type Note,
  type RecordCheck,
  several,
  wrong,
} from './record-check.ts'

const MOST_URIS = 5

export async function checkDmarc({ domain, resolve }: CheckContext): Promise<RecordCheck> {
  const name = `_dmarc.${domain}`
  const check = { purpose: 'dmarc', name, expected: 'v=DMARC1; p=none' } as const
  const texts = await lookUpTexts(resolve, name, /^v\s*=\s*DMARC/i)
  if (texts.kind === 'unknown') return { ...check, found: [], notes: [texts.note] }
  if (texts.kind === 'none') return { ...check, found: [], notes: [NO_DMARC] }
  const { records } = texts
  const notes = records.length > 1 ? [several('DMARC', records.length)] : await dmarcNotes(records[0]!, domain, resolve)
  return { ...check, found: records, notes }
}

const NO_DMARC = missing(
  'DMARC レコードがありません。受信側は、SPF と DKIM に合格しないメールの扱いを判断できません。',
  'There is no DMARC record, so that receivers do not know what to think of mail that fails SPF and DKIM.',
)

async function dmarcNotes(record: string, domain: string, resolve: CheckContext['resolve']): Promise<Note[]> {
  const tags = readTags(record)
  if (tags === undefined || !/^v\s*=\s*DMARC1\s*(?:;|$)/.test(record)) return [notReadable('DMARC', 'v=DMARC1; p=…')]
  const notes: Note[] = []
  for (const tag of ['p', 'sp', 'np'] as const) {
    const policy = tags.get(tag)
    const isPolicy = policy !== undefined && ['none', 'quarantine', 'reject'].includes(policy.toLowerCase())
    if (!isPolicy && (policy !== undefined || tag === 'p')) notes.push(noPolicy(tag))
  }
  for (const tag of ['adkim', 'aspf'])
    if (!['r', 's', undefined].includes(tags.get(tag))) notes.push(badTag(tag, 'r, s'))
  if (tags.get('t') === 'y' || tags.has('pct')) notes.push(TESTING)
  if (tags.get('p')?.toLowerCase() === 'none') notes.push(P_NONE)
  for (const tag of ['rua', 'ruf']) notes.push(...(await uriNotes(tags.get(tag), tag, domain, resolve)))
  return notes
}

const P_NONE = advice(
  'p=none では、なりすましメールも通常どおり扱われます。すべてのメールが合格することを確認したら、p=quarantine または p=reject に強化できます。',
  'With p=none forgeries are treated like other mail. Once all mail passes, tighten it to p=quarantine or p=reject.',
)
const TESTING = advice(
  't=y または pct= により、ポリシーが全面的には適用されません。pct は廃止されています (RFC 9989)。',
  't=y or pct= keeps the policy from being applied in full; pct is no longer in use (RFC 9989).',
)

function noPolicy(tag: string): Note {
  return wrong(
    `${tag}= は none, quarantine, reject のいずれかにしてください。`,
    `${tag}= must be none, quarantine or reject.`,
  )
}

function badTag(tag: string, values: string): Note {
  return wrong(`${tag}= の値は ${values} のいずれかです。`, `${tag}= must be one of ${values}.`)
}

function notReadable(what: string, example: string): Note {
  return wrong(
    `${what} レコードの書式が正しくありません。「${example}」の形にしてください。`,
    `The ${what} record can not be read. It must look like ${example}`,
  )
}

async function uriNotes(
  uris: string | undefined,
  tag: string,
  domain: string,
  resolve: CheckContext['resolve'],
): Promise<Note[]> {
  const notes: Note[] = []
  for (const uri of uris?.split(',').slice(0, MOST_URIS) ?? []) {
    const [, host] = /^\s*mailto:[^@\s!]+@([\w.-]+?)(?:![\d]+[kmgt]?)?\s*$/i.exec(uri) ?? []
    if (host === undefined) notes.push(badUri(tag, 'mailto:'))
    else if (!isWithin(host, domain)) notes.push(...(await consentNotes(host, domain, resolve)))
  }
  return notes
}

const isWithin = (host: string, domain: string) => `.${host.toLowerCase()}`.endsWith(`.${domain}`)

/** RFC 9990 section 4: a foreign destination must say that it wants the reports. */
async function consentNotes(host: string, domain: string, resolve: CheckContext['resolve']): Promise<Note[]> {
  const name = `${domain}._report._dmarc.${host}`
  const texts = await lookUpTexts(resolve, name, /^v\s*=\s*DMARC1/i)
  if (texts.kind === 'found') return []
  if (texts.kind === 'unknown') return [texts.note]
  return [
    wrong(
      `報告先 ${host} は、このドメインの報告を受け取ることを表明していません (${name} の TXT「v=DMARC1」が必要です)。`,
      `Reports go to ${host}, which does not say that it takes them: it needs a TXT record "v=DMARC1" at ${name}.`,
    ),
  ]
}

function badUri(tag: string, schemes: string): Note {
  return wrong(
    `${tag}= には ${schemes} で始まる宛先を指定してください。`,
    `${tag}= must name destinations that begin with ${schemes}`,
  )
}

export async function checkTlsRpt({ domain, resolve }: CheckContext): Promise<RecordCheck> {
  const name = `_smtp._tls.${domain}`
  const check = { purpose: 'tls-rpt', name, expected: `v=TLSRPTv1; rua=mailto:postmaster@${domain}` } as const
  const texts = await lookUpTexts(resolve, name, /^v=TLSRPT/i)
  if (texts.kind === 'unknown') return { ...check, found: [], notes: [texts.note] }
  if (texts.kind === 'none') return { ...check, found: [], notes: [NO_TLS_RPT] }
  const { records } = texts
  const notes = records.length > 1 ? [several('TLS-RPT', records.length)] : tlsRptNotes(records[0]!)
  return { ...check, found: records, notes }
}

const NO_TLS_RPT = advice(
  'TLS-RPT レコードがありません（任意）。公開すると、暗号化に失敗した配送の報告を受け取れます。',
  'There is no TLS-RPT record (it is optional). With one, others report deliveries whose encryption failed.',
)

function tlsRptNotes(record: string): Note[] {
  const tags = readTags(record)
  if (tags === undefined || !/^v=TLSRPTv1\s*;/.test(record) || !tags.has('rua'))
    return [notReadable('TLS-RPT', 'v=TLSRPTv1; rua=mailto:…')]
  const uris = tags.get('rua')!.split(',')
  return uris.every((uri) => /^\s*(?:mailto:[^@\s]+@[\w.-]+|https:\/\/\S+)\s*$/i.test(uri))
    ? []
    : [badUri('rua', 'mailto: / https:')]
}
