// Which recipients share a dialogue.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DestinationPolicy } from '@sekimori/store/destination'
import { type DestinationPorts, domainsOf, findDestinations, smarthostDestinations } from './destinations.ts'
import { rejected } from './outcome.ts'
import { route } from './route.ts'
import { parseSmarthost } from './smarthost.ts'

const hosted = (domain: string, host: string) => route(domain, [{ host, preference: 10 }], true, false)
const RECIPIENTS = ['a@one.test', 'b@two.test', 'c@other.test', 'd@one.test'].map((address) => ({ address }))
const ports: DestinationPorts = {
  route: async (domain) => hosted(domain, domain === 'other.test' ? 'mx.other.test' : 'mx.shared.test'),
  policy: async () => undefined,
  sts: async () => undefined,
}
const grouped = async (over: Partial<DestinationPorts> = {}) =>
  (await findDestinations(RECIPIENTS, { ...ports, ...over }))
    .map((destination) => domainsOf(destination).join(' '))
    .sort()

test('domains with the same hosts are one destination', async () => {
  assert.deepEqual(await grouped(), ['one.test two.test', 'other.test'])
})

test('not when more is demanded of one of them', async () => {
  const policy = async (domain: string) =>
    domain === 'two.test' ? ({ tls: 'verified', isPaused: false } as DestinationPolicy) : undefined
  assert.deepEqual(await grouped({ policy }), ['one.test', 'other.test', 'two.test'])
  const sts = async (domain: string) =>
    domain === 'two.test' ? { id: '1', mode: 'enforce' as const, maxAgeSeconds: 1, mx: ['mx.shared.test'] } : undefined
  assert.deepEqual(await grouped({ sts }), ['one.test', 'other.test', 'two.test'])
})

test('nor when there is no way to it, or when it is paused', async () => {
  const lost = async (domain: string) =>
    domain === 'two.test' ? rejected('5.1.2', 'no') : hosted(domain, 'mx.shared.test')
  assert.deepEqual(await grouped({ route: lost }), ['one.test other.test', 'two.test'])
  const policy = async (domain: string) =>
    domain === 'one.test' ? ({ tls: 'opportunistic', isPaused: true } as DestinationPolicy) : undefined
  assert.deepEqual(await grouped({ policy }), ['one.test', 'other.test', 'two.test'])
})

test('by way of a smarthost all domains are one, but for what operators have decided about some', async () => {
  const POLICIES: Record<string, Partial<DestinationPolicy>> = {
    'two.test': { tls: 'verified', isPaused: false },
    'other.test': { tls: 'opportunistic', isPaused: true, pauseReason: 'their disk is full' },
  }
  const smarthost = parseSmarthost('relay.test')!
  const policy = async (domain: string) => POLICIES[domain] as DestinationPolicy | undefined
  const found = await smarthostDestinations([...RECIPIENTS, { address: 'e@four.test' }], smarthost, policy)
  const told = found.map(
    ({ name, recipients, pause, tls }) =>
      `${name}: ${recipients.map(({ address }) => address).join(' ')} ${pause ?? tls?.floor}`,
  )
  assert.deepEqual(told.sort(), [
    'other.test: c@other.test their disk is full',
    'relay.test: a@one.test d@one.test e@four.test opportunistic',
    'relay.test: b@two.test verified',
  ])
})
