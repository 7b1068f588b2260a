// /v1/accounts: who has a maildrop here and may send.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createAccount, listAccounts } from '@sekimori/store/account-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { requireAddress } from '../name-input.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'
import { Account, Locale, Password, requireUsablePassword } from './account-input.ts'
import { addressRefused } from './address-refused.ts'
import { domainFilter, readDomainFilter } from './domain-filter.ts'

const NewAccount = Type.Object(
  { address: Type.String(), password: Password, locale: Type.Optional(Locale) },
  { additionalProperties: false },
)
const tags = ['accounts']

export const accountRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const created = { 201: Account, ...problemResponses('invalid', 'unknown-domain', 'address-taken') }
    const creation = { tags, summary: 'Add an account', body: NewAccount, response: created }
    app.post('/accounts', { schema: creation }, async ({ body }, reply) => {
      const address = requireAddress(body.address, '/address')
      const password = requireUsablePassword(body.password)
      const result = await createAccount(database, { address, password, locale: body.locale ?? 'ja' })
      switch (result.kind) {
        case 'created':
          reply.header('location', `/v1/accounts/${encodeURIComponent(address)}`)
          return reply.code(201).send(result.account)
        case 'refused':
          throw addressRefused(address, result.because)
      }
    })

    const querystring = listingQuery(domainFilter)
    const listing = { querystring, response: { 200: pageOf(Account), ...problemResponses() } }
    app.get('/accounts', { schema: { tags, summary: 'List accounts by address', ...listing } }, async ({ query }) => {
      const page = await listAccounts(database, readDomainFilter(query), readPage(query, keyPart.text))
      return showPage(page, (account) => account)
    })
  }
