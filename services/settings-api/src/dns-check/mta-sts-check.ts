// MTA-STS (RFC 8461): the record, the policy behind it, and whether the policy lets mail come to us.
import { parsePolicy, validateMx } from 'mailauth/lib/mta-sts.js'
import { fetchPolicy, type PolicyAnswer, type PolicyHostOptions } from './policy-host.ts'
import { advice, type CheckContext, lookUpTexts, type Note, type RecordCheck, several, wrong } from './record-check.ts'

const RECORD = /^v=STSv1[ \t]*;[ \t]*id=[a-z0-9]{1,32}[ \t]*(?:;.*)?$/is
/** RFC 8461 section 3.2 wants weeks or more; shorter than a day the policy hardly protects. */
const SHORT_AGE_SECONDS = 86_400

export async function checkMtaSts(context: CheckContext, host: PolicyHostOptions = {}): Promise<RecordCheck> {
  const { domain, resolve } = context
  const name = `_mta-sts.${domain}`
  const check = { purpose: 'mta-sts', name, expected: `v=STSv1; id=${dayId()}` } as const
  const texts = await lookUpTexts(resolve, name, /^v=STS/i)
  switch (texts.kind) {
    case 'unknown':
      return { ...check, found: [], notes: [texts.note] }
    case 'none':
      return { ...check, found: [], notes: [NONE] }
    case 'found': {
      const { records } = texts
      if (records.length > 1) return { ...check, found: records, notes: [several('MTA-STS', records.length)] }
      const answer = await fetchPolicy(domain, resolve, host)
      const notes = [...(RECORD.test(records[0]!) ? [] : [NOT_READABLE]), ...policyNotes(answer, context)]
      return { ...check, found: [...records, ...(answer.kind === 'policy' ? [shorten(answer.text)] : [])], notes }
    }
  }
}

const dayId = () => new Date().toISOString().slice(0, 10).replaceAll('-', '')
const shorten = (text: string) => text.slice(0, 2_000)

const NONE = advice(
  'MTA-STS は設定されていません（任意）。設定すると、送信側サーバーに暗号化を必須とさせることができます。',
  'MTA-STS is not set up (it is optional). With it, servers that send to the domain insist on encryption.',
)
const NOT_READABLE = wrong(
  'MTA-STS レコードの書式が正しくありません。「v=STSv1; id=英数字」の形にしてください。',
  'The MTA-STS record can not be read. It must look like "v=STSv1; id=" with letters and digits.',
)

function policyNotes(answer: PolicyAnswer, { domain, mailHostname }: CheckContext): Note[] {
  const url = `https://mta-sts.${domain}/.well-known/mta-sts.txt`
  const failed = (ja: string, en: string) => [
    wrong(`ポリシー ${url} を取得できません: ${ja}`, `The policy at ${url} can not be fetched: ${en}`),
  ]
  switch (answer.kind) {
    case 'no-address':
      return failed('ホスト名にアドレスがありません。', 'the host has no address.')
    case 'not-public':
      return failed(
        `アドレス ${answer.address} はインターネットから到達できません。`,
        `its address ${answer.address} is not one of the internet.`,
      )
    case 'status':
      return failed(
        `HTTP ${answer.status} が返されました（200 が必要、転送は不可）。`,
        `HTTP ${answer.status} came (200 is needed, redirects do not count).`,
      )
    case 'too-large':
      return failed('大きすぎます（64 KB まで）。', 'it is larger than 64 KB.')
    case 'failed':
      return failed(
        `接続または証明書に問題があります (${answer.reason})。`,
        `connection or certificate: ${answer.reason}`,
      )
    case 'policy':
      return [...typeNotes(answer.mediaType), ...contentNotes(answer.text, mailHostname)]
  }
}

function typeNotes(mediaType: string): Note[] {
  if (mediaType === 'text/plain') return []
  return [
    wrong('ポリシーの Content-Type は text/plain でなければなりません。', 'The policy must be served as text/plain.'),
  ]
}

function contentNotes(text: string, mailHostname: string): Note[] {
  let policy: ReturnType<typeof parsePolicy>
  try {
    policy = parsePolicy(text, { strict: true })
  } catch {
    // What the parser minds is told with the form that it wants.
    return [
      wrong(
        'ポリシーの書式が正しくありません。version: STSv1, mode:, max_age:, mx: の各行が必要です。',
        'The policy can not be read. It needs the lines version: STSv1, mode:, max_age: and mx:.',
      ),
    ]
  }
  const notes: Note[] = []
  if (!validateMx(mailHostname, policy).valid)
    notes.push(
      wrong(
        `ポリシーの mx: に ${mailHostname} が含まれていません。MTA-STS に従うサーバーからのメールが届かなくなります。`,
        `The policy's mx: lines do not name ${mailHostname}: servers that honour it will not deliver to us.`,
      ),
    )
  if (policy.mode !== 'enforce')
    notes.push(
      advice(
        `mode: ${policy.mode} では強制されません。問題がなければ mode: enforce にしてください。`,
        `mode: ${policy.mode} enforces nothing. Once all is well, set mode: enforce.`,
      ),
    )
  if ((policy.maxAge ?? 0) < SHORT_AGE_SECONDS)
    notes.push(advice('max_age は数週間にしてください。', 'Let max_age be some weeks.'))
  return notes
}
