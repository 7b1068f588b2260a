// PATCH /v1/domains/{name}: what a domain wants done with mail that fails DMARC.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { dmarcPolicies, setDmarcPolicy } from '@sekimori/store/dmarc-policy'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { problemResponses } from '../problem-responses.ts'
import { DomainShape, noSuchDomain, requireDomain } from './domains.ts'

const dmarcPolicy = Type.Enum([...dmarcPolicies], {
  description:
    'record: DMARC is recorded only; enforce: mail whose author asks to reject it (p=reject) is refused in the session ' +
    'with 550 5.7.1, mail that is to be quarantined is delivered with X-DMARC-Quarantine',
})
const DomainChange = Type.Object({ dmarcPolicy }, { additionalProperties: false })
const params = Type.Object({ name: Type.String() })

export const dmarcPolicyRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const response = { 200: DomainShape, ...problemResponses('invalid', 'not-found') }
    const schema = { tags: ['domains'], summary: 'Change a domain', params, body: DomainChange, response }
    app.patch('/domains/:name', { schema }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      if (!(await setDmarcPolicy(database, name, request.body.dmarcPolicy))) noSuchDomain(name)
      return requireDomain(database, name)
    })
  }
