// /v1/domains/{name}/dns-records: what the owner of a domain publishes in DNS.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { listDkimKeys } from '@sekimori/store/dkim-key'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { recordsToPublish } from '../dns-records.ts'
import { problemResponses } from '../problem-responses.ts'
import { dnsTxtStrings, zoneLine } from './dkim-key-shape.ts'
import { requireDomain } from './domains.ts'

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
