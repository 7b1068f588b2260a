// Reading MTA-STS records and policy files (RFC 8461), and which policy holds when.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DnsError } from '@sekimori/dns/dns-error'
import type { Resolve } from '@sekimori/dns/resolver'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { announcedId, isPolicyHost, readPolicy, type StsPolicy } from './mta-sts.ts'
import { PolicyError } from './sts-fetch.ts'
import { StsPolicies } from './sts-policies.ts'

test('an announcement is one record with an id', () => {
  assert.equal(announcedId([['v=STSv1; id=20160831085700Z;']]), '20160831085700Z')
  assert.equal(announcedId([['v=spf1 -all'], ['v=STSv1;', ' id=a1']]), 'a1')
  for (const records of [
    [],
    [['v=STSv1;']],
    [['v=STSv1; id=a-b;']],
    [['v=STSv1; id=1;'], ['v=STSv1; id=2;']],
    [['v=STSv10; id=1']],
  ])
    assert.equal(announcedId(records), undefined, JSON.stringify(records))
})

const FILE = 'version: STSv1\r\nmode: enforce\r\nmx: mx1.a.test\r\nmx: *.B.test\r\nmax_age: 604800\r\n'

test('a policy file is read, with either line ending', () => {
  const policy = { id: '1', mode: 'enforce', maxAgeSeconds: 604_800, mx: ['mx1.a.test', '*.b.test'] }
  assert.deepEqual(readPolicy('1', FILE), policy)
  assert.deepEqual(readPolicy('1', FILE.replaceAll('\r', '')), policy)
  assert.deepEqual(readPolicy('1', 'version: STSv1\nmode: none\nmax_age: 1\nfuture_field: x').mx, [])
})

test('what is no policy is refused', () => {
  const wrong = [
    '',
    '<html>',
    FILE.replace('STSv1', 'STSv2'),
    FILE.replace('enforce', 'must'),
    FILE.replace('604800', 'week'),
  ]
  for (const text of [
    ...wrong,
    FILE.replace('mx1.a.test', 'mx one'),
    FILE.replace(/mx: .*\r\n/g, ''),
    FILE.replace('mx1', '**'),
  ])
    assert.throws(() => readPolicy('1', text), /no usable/, text)
})

test('a host is one that is named, or one label below a star', () => {
  const policy = readPolicy('1', FILE)
  const allowed = ['mx1.a.test', 'x.b.test', 'mx2.a.test', 'y.x.b.test', 'b.test', '.b.test'].filter((host) =>
    isPolicyHost(policy, host),
  )
  assert.deepEqual(allowed, ['mx1.a.test', 'x.b.test', '.b.test'])
})

interface Scene {
  announced?: string[][] | 'none' | 'failure'
  kept?: StsPolicy
  fetched?: StsPolicy
}

const policy = (id: string, mode: StsPolicy['mode'] = 'enforce'): StsPolicy => ({
  id,
  mode,
  maxAgeSeconds: 60,
  mx: ['mx.a.test'],
})
const announcing = (id: string) => [[`v=STSv1; id=${id};`]]

async function play({ announced = 'none', kept, fetched }: Scene) {
  const calls: string[] = []
  const policies = new StsPolicies({
    resolve: (async () => {
      if (announced === 'none') throw new DnsError('ENOTFOUND', 'a.test', 'TXT')
      if (announced === 'failure') throw new DnsError('ESERVFAIL', 'a.test', 'TXT')
      return announced
    }) as unknown as Resolve,
    find: async () => kept,
    keep: async (_domain, { id }) => void calls.push(`keep ${id}`),
    async fetch(_domain, id) {
      calls.push(`fetch ${id}`)
      if (fetched === undefined) throw new PolicyError('sts-policy-invalid', 'no answer')
      return fetched
    },
    reportFault: (_domain, fault) => calls.push(fault),
    log: serviceStandIn().log,
  })
  const found = await Promise.all([policies.of('a.test'), policies.of('a.test')])
  assert.equal(await policies.of('a.test'), found[0])
  assert.equal(found[0], found[1])
  return { id: found[0]?.id, calls }
}

const scenes: [string, Scene, string | undefined, string[]][] = [
  ['nothing announced, nothing kept', {}, undefined, []],
  [
    'a new policy is fetched once and kept',
    { announced: announcing('1'), fetched: policy('1') },
    '1',
    ['fetch 1', 'keep 1'],
  ],
  ['the kept one is not fetched again', { announced: announcing('1'), kept: policy('1') }, '1', []],
  [
    'another id is fetched',
    { announced: announcing('2'), kept: policy('1'), fetched: policy('2') },
    '2',
    ['fetch 2', 'keep 2'],
  ],
  [
    'when that fails the kept one holds',
    { announced: announcing('2'), kept: policy('1') },
    '1',
    ['fetch 2', 'sts-policy-invalid'],
  ],
  ['without a kept one there is none', { announced: announcing('2') }, undefined, ['fetch 2', 'sts-policy-invalid']],
  ['an announcement that is gone takes nothing away', { kept: policy('1') }, '1', []],
  ['nor does a DNS server that fails', { announced: 'failure', kept: policy('1') }, '1', []],
  ['mode none is no policy', { announced: announcing('1'), kept: policy('1', 'none') }, undefined, []],
]
for (const [name, scene, id, calls] of scenes)
  test(`MTA-STS: ${name}`, async () => assert.deepEqual(await play(scene), { id, calls }))
