// What the name and the address of a client tell about it (RFC 5321 section 4.1.1.1, RFC 5782). By setting; nothing that DNS
// does not answer counts against a client.
import { isIP, isIPv4 } from 'node:net'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { Config } from './config.ts'

export interface ClientFacts {
  clientAddress: string
  ehloName: string
}

/** Looks up addresses; rejects with `code` ENOTFOUND or ENODATA when there are none. */
export type LookupAddresses = (name: string, type: 'A' | 'AAAA') => Promise<string[]>

export type CheckSettings = Pick<Config, 'MAIL_HOSTNAME' | 'HELO_CHECK' | 'DNSBL_ZONES' | 'DNSBL_CHECK'>

/** One finding as it stands in the header, such as "helo=fail (no address)"; `refusal` when it closes the door. */
export interface Finding {
  text: string
  refusal?: SmtpReply
}

/** All checks that are switched on. */
export async function checkClient(
  facts: ClientFacts,
  settings: CheckSettings,
  lookup: LookupAddresses,
): Promise<Finding[]> {
  const checks: Promise<Finding>[] = []
  if (isOn(settings.HELO_CHECK)) checks.push(checkHelo(facts, settings, lookup))
  if (isOn(settings.DNSBL_CHECK)) checks.push(checkLists(facts, settings, lookup))
  return Promise.all(checks)
}

async function checkHelo(facts: ClientFacts, settings: CheckSettings, lookup: LookupAddresses): Promise<Finding> {
  const fault = await heloFault(facts, settings.MAIL_HOSTNAME, lookup)
  if (fault === undefined) return { text: 'helo=pass' }
  const text = `helo=fail (${fault})`
  if (settings.HELO_CHECK !== 'refuse') return { text }
  return { text, refusal: new SmtpReply(550, '5.7.1', `The name in your EHLO is not valid: ${fault}`) }
}

async function heloFault(
  { ehloName, clientAddress }: ClientFacts,
  hostname: string,
  lookup: LookupAddresses,
): Promise<string | undefined> {
  const literal = /^\[(?:ipv6:)?(.*)\]$/i.exec(ehloName)?.[1]
  if (literal !== undefined) return literal === clientAddress ? undefined : 'not your address'
  if (isIP(ehloName) !== 0 || !ehloName.includes('.')) return 'not a full name'
  if (ehloName.toLowerCase() === hostname.toLowerCase()) return 'our own name'
  const found = await Promise.all([hasAddress(ehloName, 'A', lookup), hasAddress(ehloName, 'AAAA', lookup)])
  return found.every((has) => has === false) ? 'no address' : undefined
}

async function checkLists(
  { clientAddress }: ClientFacts,
  settings: CheckSettings,
  lookup: LookupAddresses,
): Promise<Finding> {
  const zones = settings.DNSBL_ZONES.split(',')
    .map((zone) => zone.trim())
    .filter((zone) => zone !== '')
  const answers = await Promise.all(
    zones.map(async (zone) => ({ zone, isListed: await isListed(clientAddress, zone, lookup) })),
  )
  const listed = answers.filter(({ isListed }) => isListed).map(({ zone }) => zone)
  if (listed.length === 0) return { text: 'dnsbl=none' }
  const text = `dnsbl=listed (${listed.join(' ')})`
  if (settings.DNSBL_CHECK !== 'refuse') return { text }
  return { text, refusal: new SmtpReply(550, '5.7.1', `Your address ${clientAddress} is listed by ${listed[0]}`) }
}

/** Answers outside of 127.0.0.0/8, and 127.255.255.0/24, say that the list can't be asked (RFC 5782 section 2.1). */
async function isListed(address: string, zone: string, lookup: LookupAddresses): Promise<boolean> {
  const answers = await lookup(`${reversed(address)}.${zone}`, 'A').catch(() => [])
  return answers.some((answer) => answer.startsWith('127.') && !answer.startsWith('127.255.255.'))
}

function reversed(address: string): string {
  if (isIPv4(address)) return address.split('.').reverse().join('.')
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  const all = [...groups(head), ...(address.includes('::') ? zeros : []), ...groups(tail)]
  return all
    .map((group) => group.padStart(4, '0'))
    .join('')
    .split('')
    .reverse()
    .join('.')
}

/** Undefined when DNS does not tell. */
async function hasAddress(name: string, type: 'A' | 'AAAA', lookup: LookupAddresses): Promise<boolean | undefined> {
  try {
    return (await lookup(name, type)).length > 0
  } catch (error) {
    const { code } = error as { code?: string }
    return code === 'ENOTFOUND' || code === 'ENODATA' ? false : undefined
  }
}

function isOn(check: 'off' | 'record' | 'refuse'): boolean {
  return check === 'record' || check === 'refuse'
}
