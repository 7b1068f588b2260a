// A DKIM key as the API shows it.
import type { DkimKeyRecord } from '@sekimori/store/dkim-key'
import Type, { type Static } from 'typebox'
import { toDoText } from '../dkim-key-text.ts'
import { txtStrings, txtZoneLine } from '../dns-records.ts'

export const dnsTxtStrings = Type.Array(Type.String(), {
  description: 'the record as the character strings of one TXT record, each of at most 255 octets (RFC 1035)',
})
export const zoneLine = Type.String({ description: 'ready for a zone file' })
export const Bilingual = Type.Object({ ja: Type.String(), en: Type.String() })
const time = Type.String({ format: 'date-time' })

export const DkimKey = Type.Object({
  selector: Type.String(),
  algorithm: Type.Enum(['rsa-sha256', 'ed25519-sha256']),
  state: Type.Enum(['pending', 'active', 'retiring', 'retired'], {
    description:
      'pending: to be published, signs once DNS shows it; active: signs; retiring: signs no more, stays published until ' +
      'mail under way is done; retired: the private key is erased, the record may be removed',
  }),
  stateSince: time,
  dnsName: Type.String(),
  dnsRecord: Type.String({ description: 'value of the TXT record' }),
  dnsTxtStrings,
  zoneLine,
  shown: Type.Enum(['unknown', 'matches', 'missing', 'differs'], {
    description: 'what all DNS servers showed when dkim-signer last got an answer',
  }),
  shownSince: Type.Optional(time),
  lookedAt: Type.Optional(time),
  toDo: Type.Optional(Type.Object(Bilingual.properties, { description: "what the domain's DNS still needs" })),
  createdAt: time,
})

export function showKey({ publicKey: _, ...key }: DkimKeyRecord): Static<typeof DkimKey> {
  const toDo = toDoText(key)
  return {
    ...key,
    dnsTxtStrings: txtStrings(key.dnsRecord),
    zoneLine: txtZoneLine(key.dnsName, key.dnsRecord),
    ...(toDo === undefined ? {} : { toDo }),
  }
}
