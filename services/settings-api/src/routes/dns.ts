// /v1/domains/{name}/dkim-keys and /dns-records: what the owner of a domain publishes in DNS.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { listDkimKeys } from '@sekimori/store/dkim-key'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { recordsToPublish, txtStrings, txtZoneLine } from '../dns-records.ts'
import { problemResponses } from '../problem-responses.ts'
import { requireDomain } from './domains.ts'

const dnsTxtStrings = Type.Array(Type.String(), {
  description: 'the record as the character strings of one TXT record, each of at most 255 octets (RFC 1035)',
})
const zoneLine = Type.String({ description: 'ready for a zone file' })
const DkimKey = Type.Object({
  selector: Type.String(),
  algorithm: Type.Enum(['rsa-sha256', 'ed25519-sha256']),
  state: Type.Enum(['active', 'retired'], { description: 'active keys sign' }),
  dnsName: Type.String(),
  dnsRecord: Type.String({ description: 'value of the TXT record' }),
  dnsTxtStrings,
  zoneLine,
  createdAt: Type.String({ format: 'date-time' }),
})
const DnsRecord = Type.Object({
  purpose: Type.Enum(['mx', 'spf', 'dkim', 'dmarc']),
  type: Type.Enum(['MX', 'TXT']),
  name: Type.String(),
  value: Type.String({ description: 'TXT: the whole text; MX: preference and host' }),
  dnsTxtStrings: Type.Optional(dnsTxtStrings),
  zoneLine,
  description: Type.Object({ ja: Type.String(), en: Type.String() }),
})
const params = Type.Object({ name: Type.String() })
const tags = ['dns']

export const dnsRoutes =
  ({ database, mailHostname }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const keys = {
      params,
      response: { 200: Type.Object({ items: Type.Array(DkimKey) }), ...problemResponses('not-found') },
    }
    const listing = { tags, summary: "List a domain's DKIM keys with the records to publish", ...keys }
    app.get('/domains/:name/dkim-keys', { schema: listing }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      const items = (await listDkimKeys(database, name)).map((key) => ({
        ...key,
        dnsTxtStrings: txtStrings(key.dnsRecord),
        zoneLine: txtZoneLine(key.dnsName, key.dnsRecord),
      }))
      return { items }
    })

    const records = {
      params,
      response: { 200: Type.Object({ items: Type.Array(DnsRecord) }), ...problemResponses('not-found') },
    }
    const publishing = { tags, summary: 'List the MX, SPF, DKIM and DMARC records to publish for a domain', ...records }
    app.get('/domains/:name/dns-records', { schema: publishing }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      return { items: recordsToPublish(name, mailHostname, await listDkimKeys(database, name)) }
    })
  }
