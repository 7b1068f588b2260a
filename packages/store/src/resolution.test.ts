// Where recipients lead: every end once, circles nowhere, and nothing twice through the same account.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lookup } from './directory.ts'
import { type End, Resolution, type ResolutionOptions } from './resolution.ts'

const account = (accountId: number, address: string, forwardTo?: string[], keepsNoCopy?: true): Lookup => ({
  kind: 'account',
  accountId,
  address,
  ...(forwardTo === undefined ? {} : { forwardTo }),
  ...(keepsNoCopy === undefined ? {} : { keepsNoCopy }),
})
const alias = (address: string, ...targets: string[]): Lookup => ({ kind: 'alias', address, targets })

const directory: Record<string, Lookup> = {
  'bob@here.test': account(1, 'bob@here.test'),
  'keeps@here.test': account(2, 'keeps@here.test', ['bob@here.test', 'Out@there.test']),
  'leaves@here.test': account(3, 'leaves@here.test', ['out@there.test'], true),
  'self@here.test': account(4, 'self@here.test', ['self@here.test'], true),
  'one@here.test': account(5, 'one@here.test', ['two@here.test'], true),
  'two@here.test': account(6, 'two@here.test', ['one@here.test'], true),
  'sales@here.test': alias('sales@here.test', 'bob@here.test', 'out@there.test', 'sales@here.test'),
  'ring@here.test': alias('ring@here.test', 'chain@here.test'),
  'chain@here.test': alias('chain@here.test', 'ring@here.test'),
  'stale@here.test': alias('stale@here.test', 'gone@here.test'),
}
for (let i = 0; i < 20; i++) directory[`a${i}@here.test`] = alias(`a${i}@here.test`, `a${i + 1}@here.test`)
for (const tag of ['x', 'y']) directory[`bob+${tag}@here.test`] = account(1, 'bob@here.test')
directory['a20@here.test'] = account(9, 'a20@here.test')

async function ends(recipients: string[], options: Partial<ResolutionOptions> = {}): Promise<string[]> {
  const lookup: ResolutionOptions['lookup'] = async (address) =>
    directory[address.toLowerCase()] ?? { kind: address.endsWith('@here.test') ? 'unknown' : 'foreign' }
  const resolution = new Resolution({ lookup, ...options })
  for (const recipient of recipients) await resolution.add(recipient)
  return resolution.take().map(describe)
}

function describe(end: End): string {
  switch (end.kind) {
    case 'maildrop':
      return `maildrop ${end.member.address}`
    case 'list':
      return `list ${end.list.address}`
    case 'outside':
      return `outside ${end.address} by ${end.by}`
    case 'passed':
      return `${end.stage} ${end.address}`
    case 'dead':
      return `${end.because} ${end.address}`
  }
}

test('each end is reached once, however many ways lead there', async () => {
  assert.deepEqual(await ends(['sales@here.test', 'keeps@here.test', 'Bob@here.test']), [
    'maildrop bob@here.test',
    'outside out@there.test by sales@here.test',
    'alias sales@here.test',
    'forward keeps@here.test',
    'maildrop keeps@here.test',
  ])
})

test('forwarding keeps a copy or not, and one that leads nowhere else keeps it all the same', async () => {
  const outside = 'outside out@there.test by leaves@here.test'
  assert.deepEqual(await ends(['leaves@here.test']), [outside, 'forward leaves@here.test'])
  assert.deepEqual(await ends(['self@here.test']), ['maildrop self@here.test'])
  assert.deepEqual(await ends(['leaves@here.test'], { mayForward: false }), ['maildrop leaves@here.test'])
  assert.deepEqual((await ends(['leaves@here.test'], { keepsCopies: true })).at(-1), 'maildrop leaves@here.test')
})

test('aliases in a ring, and longer chains than are followed, lead nowhere', async () => {
  assert.deepEqual(await ends(['ring@here.test']), ['loop ring@here.test'])
  assert.deepEqual(await ends(['a0@here.test']), ['loop a0@here.test'])
  assert.deepEqual((await ends(['a15@here.test']))[0], 'maildrop a20@here.test')
  assert.deepEqual(await ends(['stale@here.test']), ['loop stale@here.test'])
})

test('two accounts that forward to each other lose no mail', async () => {
  assert.deepEqual(await ends(['one@here.test']), ['maildrop two@here.test', 'forward one@here.test'])
  assert.deepEqual(await ends(['one@here.test', 'two@here.test']), ['maildrop two@here.test', 'forward one@here.test'])
})

test('who has handed the mail on before does not do so again', async () => {
  const passedBefore = new Set(['leaves@here.test', 'sales@here.test'])
  assert.deepEqual(await ends(['leaves@here.test', 'sales@here.test'], { passedBefore }), [
    'maildrop leaves@here.test',
    'loop sales@here.test',
  ])
})

test('name+tag is one with name, and has an entry of its own', async () => {
  assert.deepEqual(await ends(['bob+x@here.test', 'bob@here.test', 'bob+y@here.test']), [
    'maildrop bob@here.test',
    'alias bob+x@here.test',
    'alias bob+y@here.test',
  ])
})

test('a rewritten sender leads to whom it stands for', async () => {
  const reverse = async (address: string) => (address === 'srs@here.test' ? 'eve@there.test' : undefined)
  assert.deepEqual(await ends(['srs@here.test', 'gone@here.test'], { reverse }), [
    'outside eve@there.test by srs@here.test',
    'alias srs@here.test',
    'unknown gone@here.test',
  ])
})

test('a member elsewhere of two lists, or behind an alias besides, is reached once', async () => {
  const lookup: ResolutionOptions['lookup'] = async (address) => directory[address] ?? { kind: 'foreign' }
  const resolution = new Resolution({ lookup })
  await resolution.add('sales@here.test')
  for (const list of ['l1@here.test', 'l2@here.test'])
    for (const member of ['OUT@there.test', 'Pal@there.test']) resolution.addOutsideMember(member, list)
  const outside = resolution.take().filter(({ kind }) => kind === 'outside')
  assert.deepEqual(outside.map(describe), [
    'outside out@there.test by sales@here.test',
    'outside Pal@there.test by l1@here.test',
  ])
})

test('who is reached on another leg is not reached again', async () => {
  assert.deepEqual(await ends(['sales@here.test'], { reached: ['OUT@there.test'] }), [
    'maildrop bob@here.test',
    'alias sales@here.test',
  ])
})

test('a recipient who is elsewhere by now, or nowhere, is an end too', async () => {
  assert.deepEqual(await ends(['x@there.test', 'gone@here.test']), ['unknown x@there.test', 'unknown gone@here.test'])
})
