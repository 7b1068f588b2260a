// /v1/signatures: which virus signatures each clamd works with, and whether mail is given to it.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Queryable } from '@sekimori/store/database'
import { orderRescan, rescanProgress } from '@sekimori/store/rescan-admin'
import { engineFaults, listSignatures, type SignatureStatus } from '@sekimori/store/signature-status'
import Type, { type Static } from 'typebox'
import type { Context } from '../app.ts'
import { engineFaultTexts } from '../engine-fault-text.ts'
import { problemResponses } from '../problem-responses.ts'

const Fault = Type.Object(
  {
    kind: Type.Enum([...engineFaults]),
    detail: Type.String({ description: 'in English' }),
    detailJa: Type.String({ description: 'in Japanese' }),
  },
  { description: 'why it is not used; absent when it is' },
)
const Status = Type.Object({
  endpoint: Type.String({ description: 'the address of this clamd in CLAMD_ADDRESS' }),
  scanner: Type.String({ description: 'the scanner that saw it so: host name and process id' }),
  version: Type.Optional(
    Type.String({ description: 'engine and signature version as clamd says them; absent when it never answered' }),
  ),
  signaturesAt: Type.Optional(
    Type.String({ format: 'date-time', description: 'when the official signatures were made; absent when unknown' }),
  ),
  ageSeconds: Type.Optional(Type.Integer({ description: 'since then; absent when unknown' })),
  healthy: Type.Boolean({ description: 'whether mail is given to it' }),
  fault: Type.Optional(Fault),
  checkedAt: Type.Optional(
    Type.String({ format: 'date-time', description: 'when it was last tested; reported about once a minute' }),
  ),
})

const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }))
const Rescan = Type.Object(
  {
    state: Type.Enum(['ordered', 'running', 'done', 'superseded']),
    signatures: Type.Optional(Type.String({ description: 'with which it is scanned' })),
    since: time('mail that was delivered at or after this time is scanned'),
    reachedAt: time('how far it is: when the mail was delivered that was scanned last, on the way to older ones'),
    scanned: Type.Integer({ description: 'mails that got a verdict; a mail to several maildrops is one' }),
    infected: Type.Integer({ description: 'mails of these that left the maildrops, or will' }),
    failed: Type.Integer({ description: 'mails that no verdict could be had for' }),
    waiting: Type.Integer({ description: 'infected mails that are still in a maildrop because a session has it' }),
    orderedAt: Type.String({ format: 'date-time', description: 'when new signatures, or an operator, asked for it' }),
    startedAt: time('when it began'),
    finishedAt: time('when it was over'),
  },
  { description: 'the newest scan of delivered mail with signatures that came later' },
)

export const signatureRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const schema = {
      tags: ['signatures'],
      summary: 'Show the virus signatures of each clamd',
      description:
        'One item for each clamd and each scanner that uses it. Without items no scanner has reported for minutes.',
      response: {
        200: Type.Object({ items: Type.Array(Status), rescan: Type.Optional(Rescan) }),
        ...problemResponses(),
      },
    }
    app.get('/signatures', { schema }, async () => ({
      items: (await listSignatures(database)).map(show),
      ...(await showRescan(database)),
    }))

    const order = {
      tags: ['signatures'],
      summary: 'Scan delivered mail again',
      description:
        'Of new official signatures the scanners know by themselves. Order it after clamd has taken up files of your own. ' +
        'It goes on in the background; an order that was not begun yet is the same one. With RESCAN_DAYS=0 none is begun.',
      response: { 202: Type.Object({ rescan: Rescan }), ...problemResponses() },
    }
    app.post('/signatures/rescan', { schema: order }, async (_request, reply) => {
      await orderRescan(database)
      return reply.code(202).send((await showRescan(database)) as { rescan: Static<typeof Rescan> })
    })
  }

async function showRescan(database: Queryable): Promise<{ rescan?: Static<typeof Rescan> }> {
  const progress = await rescanProgress(database)
  if (progress === undefined) return {}
  const { since, reachedAt, orderedAt, startedAt, finishedAt, ...rest } = progress
  const times = Object.entries({ since, reachedAt, orderedAt, startedAt, finishedAt }).filter(
    ([, at]) => at !== undefined,
  )
  const shown = Object.fromEntries(times.map(([name, at]) => [name, at!.toISOString()]))
  return { rescan: { ...rest, ...shown, orderedAt: orderedAt.toISOString() } }
}

function show({ endpoint, scanner, version, signaturesAt, fault, checkedAt }: SignatureStatus) {
  const text = fault && engineFaultTexts[fault]
  return {
    endpoint,
    scanner,
    ...(version === undefined ? {} : { version }),
    ...(signaturesAt === undefined ? {} : age(signaturesAt)),
    healthy: fault === undefined,
    ...(fault && text ? { fault: { kind: fault, detail: text.en, detailJa: text.ja } } : {}),
    ...(checkedAt === undefined ? {} : { checkedAt: checkedAt.toISOString() }),
  }
}

function age(signaturesAt: Date): { signaturesAt: string; ageSeconds: number } {
  return {
    signaturesAt: signaturesAt.toISOString(),
    ageSeconds: Math.round((Date.now() - signaturesAt.getTime()) / 1000),
  }
}
