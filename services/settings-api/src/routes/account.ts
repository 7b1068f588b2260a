// /v1/accounts/{address}: one account.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { findAccount, updateAccount } from '@sekimori/store/account-admin'
import { deleteAccount } from '@sekimori/store/account-removal'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import {
  Account,
  Locale,
  noSuchAccount,
  Password,
  accountParams as params,
  requireAccountAddress,
  requireUsablePassword,
} from './account-input.ts'

const AccountChange = Type.Object(
  {
    password: Type.Optional(Password),
    locale: Type.Optional(Locale),
    sendingStopped: Type.Optional(Type.Null({ description: 'null lets a stopped account send again' })),
  },
  { additionalProperties: false, minProperties: 1 },
)
const tags = ['accounts']

export const oneAccountRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shown = { params, response: { 200: Account, ...problemResponses('not-found') } }
    app.get('/accounts/:address', { schema: { tags, summary: 'Show an account', ...shown } }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      return (await findAccount(database, address)) ?? noSuchAccount(address)
    })

    const changed = {
      params,
      body: AccountChange,
      response: { 200: Account, ...problemResponses('invalid', 'not-found') },
    }
    const changing =
      'Change the password or the language, or let a stopped account send again; this counts at once everywhere'
    app.patch('/accounts/:address', { schema: { tags, summary: changing, ...changed } }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      const { password, ...rest } = request.body
      const change = { ...rest, password: password === undefined ? undefined : requireUsablePassword(password) }
      return (await updateAccount(database, address, change)) ?? noSuchAccount(address)
    })

    const removed = { params, response: { 204: Type.Null(), ...problemResponses('not-found', 'last-member') } }
    const removal = 'Remove an account with all mail in its maildrop'
    app.delete('/accounts/:address', { schema: { tags, summary: removal, ...removed } }, async (request, reply) => {
      const address = requireAccountAddress(request.params.address)
      const result = await deleteAccount(database, address)
      switch (result.kind) {
        case 'deleted':
          return reply.code(204).send(null)
        case 'unknown':
          return noSuchAccount(address)
        case 'last-member':
          throw lastMember(address, result.lists)
      }
    })
  }

function lastMember(address: string, lists: string[]): Problem {
  const names = lists.join(', ')
  return new Problem('last-member', {
    en: `${address} is the only member of ${names}; mail to such a list would be lost. Change or delete the list first.`,
    ja: `${address} は ${names} の唯一のメンバーです。宛先のないリスト宛のメールは失われるため、先にリストを変更または削除してください。`,
  })
}
