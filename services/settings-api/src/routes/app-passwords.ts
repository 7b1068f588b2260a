// /v1/accounts/{address}/app-passwords: passwords of single devices, each for SMTP, POP3 or both.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { APP_PASSWORDS_MAX, createAppPassword, listAppPasswords, revokeAppPassword } from '@sekimori/store/app-password'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import { noSuchAccount, accountParams as params, requireAccountAddress } from './account-input.ts'

const LoginService = Type.Enum(['smtp', 'pop3'])
const Services = Type.Array(LoginService, {
  minItems: 1,
  maxItems: 2,
  uniqueItems: true,
  description: 'what it logs in to: smtp for sending, pop3 for fetching',
})
const AppPassword = Type.Object({
  id: Type.String(),
  name: Type.String({ description: 'what the owner calls the device' }),
  services: Services,
  createdAt: Type.String({ format: 'date-time' }),
  lastUsed: Type.Optional(
    Type.Object(
      { at: Type.String({ format: 'date-time' }), for: LoginService },
      { description: 'the last login, to within five minutes; absent while it was never used' },
    ),
  ),
})
const NewAppPassword = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$' }),
    services: Type.Optional(Services),
  },
  { additionalProperties: false },
)
const CreatedAppPassword = Type.Object({
  ...AppPassword.properties,
  password: Type.String({ description: 'shown here and never again; hyphens and case do not matter' }),
})
const tags = ['accounts']
const path = '/accounts/:address/app-passwords'

export const appPasswordRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shown = {
      params,
      response: { 200: Type.Object({ items: Type.Array(AppPassword) }), ...problemResponses('not-found') },
    }
    app.get(path, { schema: { tags, summary: "List an account's app passwords", ...shown } }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      return { items: (await listAppPasswords(database, address)) ?? noSuchAccount(address) }
    })

    const created = { 201: CreatedAppPassword, ...problemResponses('invalid', 'not-found', 'too-many-app-passwords') }
    const creation = {
      tags,
      summary: 'Make an app password for a device',
      params,
      body: NewAppPassword,
      response: created,
    }
    app.post(path, { schema: creation }, async (request, reply) => {
      const address = requireAccountAddress(request.params.address)
      const { name, services = ['smtp', 'pop3'] } = request.body
      const result = await createAppPassword(database, address, { name, services })
      switch (result.kind) {
        case 'created':
          reply.header('cache-control', 'no-store')
          return reply.code(201).send({ ...result.appPassword, password: result.password })
        case 'unknown-account':
          return noSuchAccount(address)
        case 'too-many':
          throw tooMany(address)
      }
    })

    const one = Type.Object({ ...params.properties, id: Type.String() })
    const removed = { params: one, response: { 204: Type.Null(), ...problemResponses('not-found') } }
    const removal = 'Take an app password back; this counts at once everywhere'
    app.delete(`${path}/:id`, { schema: { tags, summary: removal, ...removed } }, async (request, reply) => {
      const address = requireAccountAddress(request.params.address)
      const { id } = request.params
      if (!/^\d{1,18}$/.test(id) || !(await revokeAppPassword(database, address, id))) throw noSuch(address, id)
      return reply.code(204).send(null)
    })
  }

function tooMany(address: string): Problem {
  return new Problem('too-many-app-passwords', {
    en: `${address} has ${APP_PASSWORDS_MAX} app passwords already; take one back first.`,
    ja: `${address} には既に ${APP_PASSWORDS_MAX} 個のアプリパスワードがあります。先にいずれかを取り消してください。`,
  })
}

function noSuch(address: string, id: string): Problem {
  return new Problem('not-found', {
    en: `${address} has no app password ${id}.`,
    ja: `${address} にアプリパスワード ${id} はありません。`,
  })
}
