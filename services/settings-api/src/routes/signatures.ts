// /v1/signatures: which virus signatures each clamd works with, and whether mail is given to it.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { engineFaults, listSignatures, type SignatureStatus } from '@sekimori/store/signature-status'
import Type from 'typebox'
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

export const signatureRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const schema = {
      tags: ['signatures'],
      summary: 'Show the virus signatures of each clamd',
      description:
        'One item for each clamd and each scanner that uses it. Without items no scanner has reported for minutes.',
      response: { 200: Type.Object({ items: Type.Array(Status) }), ...problemResponses() },
    }
    app.get('/signatures', { schema }, async () => ({ items: (await listSignatures(database)).map(show) }))
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
