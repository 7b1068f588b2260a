// /v1/domains/{name}/virus-policy: what a domain wants done with mail that the virus check could not look into.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { unscannableActions, unscannableReasons } from '@sekimori/mail/unscannable'
import {
  changeVirusPolicy,
  findVirusPolicy,
  type VirusPolicy,
  type VirusPolicyChange,
} from '@sekimori/store/virus-policy'
import Type, { type Static, type TSchema } from 'typebox'
import type { Context } from '../app.ts'
import { problemResponses } from '../problem-responses.ts'
import { noSuchDomain, requireDomain } from './domains.ts'

const action = Type.Enum([...unscannableActions], {
  description:
    'deliver: with a header that says so; hold: set aside until an operator releases or deletes it; ' +
    'refuse: returned to an authenticated sender (5.7.1), set aside without a word to a stranger',
})
const notice = Type.Boolean({
  description: 'whether the local recipients (of mail that an account sends and that is held: the sender) get a notice',
})
const Rule = Type.Object({ action, notice })
const RuleChange = Type.Object(
  { action: Type.Optional(action), notice: Type.Optional(notice) },
  { additionalProperties: false },
)
const meaning: Record<(typeof unscannableReasons)[number], string> = {
  encrypted: 'protected by a password',
  depth: 'archives nested deeper than is looked into',
  size: 'larger than is looked into',
  time: 'takes too long',
  damaged: 'damaged, or of a format that can not be read',
}

const forEachReason = <T extends TSchema>(schema: (description: string) => T) => ({
  encrypted: schema(meaning.encrypted),
  depth: schema(meaning.depth),
  size: schema(meaning.size),
  time: schema(meaning.time),
  damaged: schema(meaning.damaged),
})

const Policy = Type.Object({
  unscannable: Type.Object(forEachReason((description) => Type.Object(Rule.properties, { description }))),
})
const PolicyChange = Type.Object(
  {
    unscannable: Type.Object(
      forEachReason(() => Type.Optional(RuleChange)),
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
const params = Type.Object({ name: Type.String() })
const tags = ['domains']
const path = '/domains/:name/virus-policy'
const description =
  'Decides for mail to recipients in the domain, each recipient by itself, and for mail that its accounts send. ' +
  'What an operator released is delivered whatever stands here. Infected mail is always stopped.'

export const virusPolicyRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shown = { params, response: { 200: Policy, ...problemResponses('not-found') } }
    const showing = { tags, summary: "Show a domain's policy for mail that can not be checked", description, ...shown }
    app.get(path, { schema: showing }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      return showPolicy(await findVirusPolicy(database, name))
    })

    const response = { 200: Policy, ...problemResponses('invalid', 'not-found') }
    const summary = "Change a domain's policy for mail that can not be checked"
    const changing = { tags, summary, description, params, body: PolicyChange, response }
    app.patch(path, { schema: changing }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      const policy = await changeVirusPolicy(database, name, readChange(request.body))
      return showPolicy(policy ?? noSuchDomain(name))
    })
  }

function readChange({ unscannable }: Static<typeof PolicyChange>): VirusPolicyChange {
  const given = unscannableReasons.flatMap((reason) => {
    const { action, notice } = unscannable[reason] ?? {}
    const rule = { ...(action === undefined ? {} : { action }), ...(notice === undefined ? {} : { hasNotice: notice }) }
    return [[reason, rule] as const]
  })
  return Object.fromEntries(given)
}

function showPolicy(policy: VirusPolicy): Static<typeof Policy> {
  const show = ({ action, hasNotice }: VirusPolicy['encrypted']) => ({ action, notice: hasNotice })
  return {
    unscannable: {
      encrypted: show(policy.encrypted),
      depth: show(policy.depth),
      size: show(policy.size),
      time: show(policy.time),
      damaged: show(policy.damaged),
    },
  }
}
