// /v1/domains/{name}/dns-check: what a domain publishes, held against what it should, in words.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { listDkimKeys } from '@sekimori/store/dkim-key'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { checkDomain } from '../dns-check/domain-check.ts'
import { purposes, weights } from '../dns-check/record-check.ts'
import { problemResponses } from '../problem-responses.ts'
import { requireDomain } from './domains.ts'

const Check = Type.Object({
  purpose: Type.Enum([...purposes]),
  name: Type.String({ description: 'the name that was asked for' }),
  result: Type.Enum(['right', ...weights], {
    description:
      'the gravest of the notes: missing; wrong; unknown (DNS or a server did not answer); advice (it works, and could ' +
      'be better); right',
  }),
  found: Type.Array(Type.String(), { description: 'the records as they are; of MTA-STS the policy as well' }),
  expected: Type.Optional(Type.String({ description: 'a record that would be right' })),
  notes: Type.Array(Type.Object({ weight: Type.Enum([...weights]), ja: Type.String(), en: Type.String() })),
})
const Checked = Type.Object({
  isRight: Type.Boolean({ description: 'whether nothing is missing or wrong, and all was answered' }),
  items: Type.Array(Check),
})
const description =
  'Asks DNS now: MX, SPF, each DKIM key, DMARC, MTA-STS (with its policy, over HTTPS) and TLS-RPT. Takes up to half a minute ' +
  'when servers do not answer.'

export const dnsCheckRoutes =
  ({ database, mailHostname, dnsServers, policyHost }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const params = Type.Object({ name: Type.String() })
    const response = { 200: Checked, ...problemResponses('not-found') }
    const summary = "Check a domain's DNS records and say what to change"
    const schema = { tags: ['dns'], summary, description, params, response }
    app.get('/domains/:name/dns-check', { schema }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      const keys = await listDkimKeys(database, name)
      const items = await checkDomain({ domain: name, mailHostname, dnsServers, keys, policyHost })
      return { isRight: items.every(({ result }) => result === 'right' || result === 'advice'), items }
    })
  }
