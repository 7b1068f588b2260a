// MX (RFC 5321 section 5.1, RFC 7505): does mail for the domain come here?
import { normalizeDomain } from '@sekimori/mail/address'
import {
  advice,
  type CheckContext,
  lookUp,
  missing,
  type Note,
  type RecordCheck,
  unanswered,
  wrong,
} from './record-check.ts'

const MOST_HOSTS = 10

export async function checkMx({ domain, mailHostname, resolve }: CheckContext): Promise<RecordCheck> {
  const expected = `10 ${mailHostname}.`
  const check = { purpose: 'mx', name: domain, expected } as const
  const mx = await lookUp(domain, 'MX', () => resolve(domain, 'MX'))
  switch (mx.kind) {
    case 'unknown':
      return { ...check, found: [], notes: [mx.note] }
    case 'none':
      return { ...check, found: [], notes: [noRecord(mailHostname)] }
    case 'found': {
      const records = mx.records.toSorted((one, other) => one.priority - other.priority)
      const found = records.map(({ priority, exchange }) => `${priority} ${exchange}.`)
      const hosts = records.map(({ exchange }) => normalizeDomain(exchange)).slice(0, MOST_HOSTS)
      const notes = await Promise.all(hosts.filter((host) => host !== '').map((host) => hostNotes(resolve, host)))
      return { ...check, found, notes: [...targetNotes(hosts, mailHostname), ...notes.flat()] }
    }
  }
}

function noRecord(mailHostname: string): Note {
  return missing(
    `MX レコードがないため、このドメイン宛のメールは届きません。${mailHostname} を指す MX を公開してください。`,
    `Without an MX record mail for the domain does not come here. Publish one that leads to ${mailHostname}.`,
  )
}

function targetNotes(hosts: string[], mailHostname: string): Note[] {
  if (hosts.includes(''))
    return [
      wrong('MX が「.」(メールを受信しない)になっています。', 'The MX record says "." (no mail is taken). Replace it.'),
    ]
  const own = normalizeDomain(mailHostname)
  const others = hosts.filter((host) => host !== own)
  if (!hosts.includes(own))
    return [
      wrong(
        `MX が他のサーバー (${others.join(', ')}) を指しており、メールは当サーバーに届きません。`,
        `The MX records lead elsewhere (${others.join(', ')}), so that mail does not come to ${own}.`,
      ),
    ]
  return others.length === 0
    ? []
    : [
        advice(
          `MX に他のサーバー (${others.join(', ')}) も含まれます。そこを通るメールはここで検査されません。`,
          `Other servers are MX as well (${others.join(', ')}); what they take is not checked here.`,
        ),
      ]
}

/** RFC 5321 section 5.1 and RFC 2181 section 10.3: an exchange is a host with addresses, never an alias. */
async function hostNotes(resolve: CheckContext['resolve'], host: string): Promise<Note[]> {
  const alias = await lookUp(host, 'CNAME', () => resolve(host, 'CNAME'))
  if (alias.kind === 'found')
    return [
      wrong(
        `MX のホスト ${host} は CNAME です。A または AAAA レコードを持つ名前にしてください。`,
        `The MX host ${host} is a CNAME. It must be a name with A or AAAA records of its own.`,
      ),
    ]
  const addresses = [
    await lookUp(host, 'A', () => resolve(host, 'A')),
    await lookUp(host, 'AAAA', () => resolve(host, 'AAAA')),
  ]
  if (addresses.some(({ kind }) => kind === 'found')) return []
  if (addresses.some(({ kind }) => kind === 'unknown')) return [unanswered(host, 'A/AAAA', 'no answer')]
  return [
    wrong(`MX のホスト ${host} に A も AAAA レコードもありません。`, `The MX host ${host} has no A or AAAA record.`),
  ]
}
