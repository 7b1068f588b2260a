// /v1/tokens: tokens for operators, who see the mail of their domains, and for accounts, which see their own.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createToken, listTokens, revokeToken } from '@sekimori/store/api-token'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { invalidValue } from '../invalid-value.ts'
import { requireAddress, requireDomainName } from '../name-input.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'

const time = (description: string) => Type.String({ format: 'date-time', description })
const Token = Type.Object({
  id: Type.String(),
  name: Type.String(),
  account: Type.Optional(Type.String()),
  domains: Type.Array(Type.String()),
  createdAt: time(''),
  expiresAt: Type.Optional(time('absent: never')),
})
const NewToken = Type.Object({
  ...Token.properties,
  token: Type.String({ description: 'shown this once, and kept nowhere' }),
})
const name = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  description: 'whose it is',
})
const lifeSeconds = Type.Integer({
  minimum: 1,
  maximum: 315_360_000,
  description: 'how long it is good; ever, unless told',
})
const Wish = Type.Object(
  {
    name,
    account: Type.Optional(Type.String({ description: 'for this account; either this or domains' })),
    domains: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 50 })),
    lifeSeconds: Type.Optional(lifeSeconds),
  },
  { additionalProperties: false },
)
const params = Type.Object({ id: Type.String({ maxLength: 100 }) })
const tags = ['tokens']
const description =
  'A token is good for GET /v1/messages, one for domains also for their mail in /v1/deferred-mail. One for an account is what a portal asks for when the owner has logged in there.'

export const tokenRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const response = { 201: NewToken, ...problemResponses('invalid') }
    const creation = { tags, summary: 'Make a token', description, body: Wish, response }
    app.post('/tokens', { schema: creation }, async ({ body }, reply) => {
      if ((body.account === undefined) === (body.domains === undefined))
        throw invalidValue('invalid', '', {
          en: 'needs either account or domains',
          ja: 'account か domains の一方が必要です',
        })
      const made = await createToken(database, {
        name: body.name,
        account: body.account === undefined ? undefined : requireAddress(body.account, '/account'),
        domains: (body.domains ?? []).map((domain, i) => requireDomainName(domain, `/domains/${i}`)),
        lifeSeconds: body.lifeSeconds,
      })
      if (made !== undefined) return reply.code(201).send(made)
      throw invalidValue('invalid', body.account === undefined ? '/domains' : '/account', {
        en: 'names an account or a domain that is not here',
        ja: '登録されていないアカウントまたはドメインです',
      })
    })

    const listing = { querystring: listingQuery({}), response: { 200: pageOf(Token), ...problemResponses() } }
    app.get('/tokens', { schema: { tags, summary: 'List tokens', ...listing } }, async ({ query }) => {
      return showPage(await listTokens(database, readPage(query, keyPart.text)), (token) => token)
    })

    const removed = { params, response: { 204: Type.Null(), ...problemResponses('not-found') } }
    app.delete('/tokens/:id', { schema: { tags, summary: 'Revoke a token', ...removed } }, async (request, reply) => {
      const { id } = request.params
      if (await revokeToken(database, id)) return reply.code(204).send(null)
      throw new Problem('not-found', { en: `There is no token ${id}.`, ja: `トークン ${id} はありません。` })
    })
  }
