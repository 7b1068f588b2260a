// The DNS records that a domain publishes so that mail comes here and what it sends is believed.
import { normalizeDomain } from '@sekimori/mail/address'
import type { DkimKeyRecord } from '@sekimori/store/dkim-key'
import type { BilingualText } from './problem.ts'

/** A character string of a TXT record holds at most 255 octets (RFC 1035 section 3.3). */
const TXT_STRING_MAX_OCTETS = 255
const TTL_SECONDS = 3_600
const MX_PREFERENCE = 10

export interface DnsRecord {
  purpose: 'mx' | 'spf' | 'dkim' | 'dmarc'
  type: 'MX' | 'TXT'
  name: string
  value: string
  dnsTxtStrings?: string[]
  zoneLine: string
  description: BilingualText
}

type PublishedKey = Pick<DkimKeyRecord, 'state' | 'dnsName' | 'dnsRecord'>

/** The records of a domain whose mail this system takes in and sends out under `mailHostname`. */
export function recordsToPublish(domain: string, mailHostname: string, keys: PublishedKey[]): DnsRecord[] {
  const mx = `${MX_PREFERENCE} ${normalizeDomain(mailHostname)}.`
  const published = keys.filter((key) => key.state !== 'retired')
  return [
    { purpose: 'mx', type: 'MX', name: domain, value: mx, zoneLine: zoneLine(domain, 'MX', mx), description: text.mx },
    txtRecord('spf', domain, 'v=spf1 mx -all'),
    ...published.map((key) => txtRecord('dkim', key.dnsName, key.dnsRecord)),
    txtRecord('dmarc', `_dmarc.${domain}`, 'v=DMARC1; p=none'),
  ]
}

function txtRecord(purpose: 'spf' | 'dkim' | 'dmarc', name: string, value: string): DnsRecord {
  const dnsTxtStrings = txtStrings(value)
  return {
    purpose,
    type: 'TXT',
    name,
    value,
    dnsTxtStrings,
    zoneLine: txtZoneLine(name, value),
    description: text[purpose],
  }
}

/** The ASCII text of a TXT record as its character strings. */
export function txtStrings(value: string): string[] {
  const count = Math.ceil(value.length / TXT_STRING_MAX_OCTETS)
  return Array.from({ length: count }, (_, i) =>
    value.slice(i * TXT_STRING_MAX_OCTETS, (i + 1) * TXT_STRING_MAX_OCTETS),
  )
}

/** A TXT record as a line of a zone file (RFC 1035 section 5). */
export function txtZoneLine(name: string, value: string): string {
  const quoted = txtStrings(value).map((string) => `"${string.replace(/["\\]/g, '\\$&')}"`)
  return zoneLine(name, 'TXT', quoted.join(' '))
}

function zoneLine(name: string, type: string, data: string): string {
  return `${name}. ${TTL_SECONDS} IN ${type} ${data}`
}

const text: Record<DnsRecord['purpose'], BilingualText> = {
  mx: {
    ja: 'このドメイン宛のメールを当サーバーで受信するためのレコードです。',
    en: 'Brings mail for the domain to this server.',
  },
  spf: {
    ja: 'このドメインのメールが MX のサーバーからのみ送信されることを示します。他のサーバーからも送信する場合は追記してください。',
    en: 'Says that mail of the domain is sent by its MX hosts only. Add whatever else sends mail for it.',
  },
  dkim: {
    ja: '送信メールの DKIM 署名を検証するための公開鍵です。',
    en: 'The public key that verifies the DKIM signature of sent mail.',
  },
  dmarc: {
    ja: 'SPF と DKIM による判定の方針です。確認のうえ p=quarantine または p=reject に強化できます。',
    en: 'The policy on mail that fails SPF and DKIM. Once all mail passes, tighten it to p=quarantine or p=reject.',
  },
}
