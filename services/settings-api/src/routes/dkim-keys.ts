// /v1/domains/{name}/dkim-keys: the keys of a domain, and new ones.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { listDkimKeys } from '@sekimori/store/dkim-key'
import { prepareRotation } from '@sekimori/store/dkim-key-life'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { problemResponses } from '../problem-responses.ts'
import { DkimKey, showKey } from './dkim-key-shape.ts'
import { noSuchDomain, requireDomain } from './domains.ts'

const params = Type.Object({ name: Type.String() })
const Keys = Type.Object({ items: Type.Array(DkimKey) })
const tags = ['dns']
const path = '/domains/:name/dkim-keys'

export const dkimKeyRoutes =
  ({ database, masterKey }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const show = async (domain: string) => ({ items: (await listDkimKeys(database, domain)).map(showKey) })

    const listed = { params, response: { 200: Keys, ...problemResponses('not-found') } }
    const listing = { tags, summary: "List a domain's DKIM keys with the records to publish", ...listed }
    app.get(path, { schema: listing }, async (request) => {
      return show((await requireDomain(database, request.params.name)).name)
    })

    const made = { params, response: { 201: Keys, ...problemResponses('not-found') } }
    const making = {
      tags,
      summary: 'Begin a rotation now: make the keys that come next',
      description:
        'One of each algorithm, unless one is pending already. They sign once DNS has shown their records for a while ' +
        '(DKIM_SETTLE_TIME), or when they are activated. Answers with all keys of the domain.',
      ...made,
    }
    app.post(path, { schema: making }, async (request, reply) => {
      const { name } = await requireDomain(database, request.params.name)
      if ((await prepareRotation(database, name, masterKey)) === undefined) noSuchDomain(name)
      return reply.code(201).send(await show(name))
    })
  }
