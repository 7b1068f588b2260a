// /v1/warning-suspensions: virus warnings that are kept back while they affect third parties (S1-26).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createSuspension, listSuspensions } from '@sekimori/store/warning-suspension-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'
import { NewSuspensionBody, readNewSuspension, Suspension } from './suspension-input.ts'

const tags = ['warning suspensions']
const description =
  'When the answer comes, no virus warning that the suspension covers enters a maildrop any more, also none that was ' +
  'written before. What is kept back is counted, stands in the message trace (stage warning, outcome suspended) and is ' +
  'never sent later.'

export const suspensionListRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const created = { 201: Suspension, ...problemResponses('invalid') }
    const creation = {
      tags,
      summary: 'Suspend virus warnings',
      description,
      body: NewSuspensionBody,
      response: created,
    }
    app.post('/warning-suspensions', { schema: creation }, async ({ body }, reply) => {
      const suspension = await createSuspension(database, readNewSuspension(body))
      return reply.code(201).header('location', `/v1/warning-suspensions/${suspension.id}`).send(suspension)
    })

    const querystring = listingQuery({
      active: Type.Optional(
        Type.Enum(['true', 'false'], { description: 'only those in force, or only those that are over' }),
      ),
    })
    const listing = { querystring, response: { 200: pageOf(Suspension), ...problemResponses() } }
    const summary = 'List warning suspensions, newest first'
    app.get('/warning-suspensions', { schema: { tags, summary, ...listing } }, async ({ query }) => {
      const isActive = query.active === undefined ? undefined : query.active === 'true'
      return showPage(await listSuspensions(database, isActive, readPage(query, /^\d{1,18}$/)), (item) => item)
    })
  }
