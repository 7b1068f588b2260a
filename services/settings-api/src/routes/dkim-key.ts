// /v1/domains/{name}/dkim-keys/{selector}: what DNS shows for one key now, and its next state.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { lookUpKey, type ShownKey } from '@sekimori/dns/dkim-record'
import { askEveryServer } from '@sekimori/dns/every-server'
import { type DkimKeyRecord, keyType, listDkimKeys } from '@sekimori/store/dkim-key'
import { activateKey, type KeyChange, retireKey } from '@sekimori/store/dkim-key-life'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { shownText } from '../dkim-key-text.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import { Bilingual, DkimKey, showKey } from './dkim-key-shape.ts'
import { requireDomain } from './domains.ts'

const params = Type.Object({ name: Type.String(), selector: Type.String({ maxLength: 63 }) })
const Shown = Type.Object({
  isShown: Type.Boolean({ description: 'whether every DNS server shows the record as it should be' }),
  servers: Type.Array(
    Type.Object({
      result: Type.Enum(['matches', 'missing', 'differs', 'unknown']),
      text: Bilingual,
      records: Type.Optional(Type.Array(Type.String())),
    }),
    { description: 'one a DNS server of ours, in the order of DNS_SERVERS' },
  ),
  alias: Type.Optional(Type.String({ description: 'where a CNAME at the name of the record leads to' })),
})
const tags = ['dns']
const path = '/domains/:name/dkim-keys/:selector'

export const oneDkimKeyRoutes =
  ({ database, dnsServers }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const find = async (params: { name: string; selector: string }) => {
      const { name } = await requireDomain(database, params.name)
      const keys = await listDkimKeys(database, name)
      return { name, key: keys.find((key) => key.selector === params.selector) ?? noSuchKey(params.selector) }
    }

    const shown = { params, response: { 200: Shown, ...problemResponses('not-found') } }
    const looking = { tags, summary: 'Ask DNS what it shows for a DKIM key now', ...shown }
    app.get(`${path}/dns`, { schema: looking }, async (request) => {
      const { key } = await find(request.params)
      return showLook(await lookEverywhere(dnsServers, key))
    })

    const activated = { params, response: { 200: DkimKey, ...problemResponses('not-found', 'dkim-key-state') } }
    const activating = {
      tags,
      summary: 'Let a pending or retiring DKIM key sign from now on',
      description: 'Only when every DNS server shows its record now. The key that signed till then is retiring.',
      ...activated,
    }
    app.post(`${path}/activate`, { schema: activating }, async (request) => {
      const { name, key } = await find(request.params)
      const seen = await lookEverywhere(dnsServers, key)
      const lacking = seen.find(({ shown }) => shown.kind !== 'matches')
      if (lacking !== undefined) throw notShown(key.dnsName, lacking.shown)
      requireChange(await activateKey(database, name, key.selector), key.selector)
      return showKey((await find(request.params)).key)
    })

    const retired = { params, response: { 200: DkimKey, ...problemResponses('not-found', 'dkim-key-state') } }
    const retiring = {
      tags,
      summary: 'Take a DKIM key out of use',
      description:
        'An active key signs no more and is retiring; a pending or retiring one is retired at once, its private key erased. ' +
        'The only key that signs stays.',
      ...retired,
    }
    app.post(`${path}/retire`, { schema: retiring }, async (request) => {
      const { name, key } = await find(request.params)
      requireChange(await retireKey(database, name, key.selector), key.selector)
      return showKey((await find(request.params)).key)
    })
  }

interface Seen {
  shown: ShownKey
  alias: string | undefined
}

function lookEverywhere(servers: string[], key: DkimKeyRecord): Promise<Seen[]> {
  const expected = { name: key.dnsName, keyType: keyType(key.algorithm), publicKey: key.publicKey }
  return askEveryServer(servers, async (resolve) => {
    const shown = await lookUpKey(resolve, expected)
    // Only told to people: without an answer there is none to tell.
    const [alias] = await resolve(key.dnsName, 'CNAME').catch(() => [])
    return { shown, alias }
  })
}

function showLook(seen: Seen[]) {
  const alias = seen.find((one) => one.alias !== undefined)?.alias
  return {
    isShown: seen.every(({ shown }) => shown.kind === 'matches'),
    servers: seen.map(({ shown }) => ({
      result: shown.kind,
      text: shownText(shown),
      ...(shown.kind === 'differs' ? { records: shown.records } : {}),
    })),
    ...(alias === undefined ? {} : { alias }),
  }
}

function requireChange(change: KeyChange, selector: string): void {
  switch (change.kind) {
    case 'changed':
      return
    case 'unknown':
      throw noKey(selector)
    case 'wrong-state':
      throw new Problem('dkim-key-state', {
        en: `The key ${selector} is ${change.state}: its private key is erased.`,
        ja: `鍵 ${selector} は廃止済み（${change.state}）で、秘密鍵は消去されています。`,
      })
    case 'last':
      throw new Problem('dkim-key-state', {
        en: `The key ${selector} is the only one that signs. Make and activate another one first.`,
        ja: `鍵 ${selector} は署名に使われている唯一の鍵です。先に別の鍵を作成して有効にしてください。`,
      })
  }
}

function notShown(dnsName: string, shown: ShownKey): Problem {
  const { ja, en } = shownText(shown)
  return new Problem('dkim-key-state', { en: `${dnsName}: ${en}`, ja: `${dnsName}: ${ja}` })
}

function noSuchKey(selector: string): never {
  throw noKey(selector)
}

function noKey(selector: string): Problem {
  return new Problem('not-found', { en: `There is no DKIM key ${selector}.`, ja: `DKIM 鍵 ${selector} はありません。` })
}
