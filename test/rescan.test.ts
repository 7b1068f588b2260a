// Mail that was delivered before a signature for it came: it leaves the maildrop, and its owner is told, once.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { backgroundStack } from '@sekimori/testing/background-stack'
import { runStatement } from '@sekimori/testing/database-dump'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, subjectOf, textOf } from '@sekimori/testing/mail-text'
import { scanDirectly } from '@sekimori/testing/scan-directly'
import { ndbLines } from '@sekimori/testing/signature-database'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { throughout } from '@sekimori/testing/throughout'
import pg from 'pg'

const STRANGER = 'stranger@sender.example'
/** Mails for each owner. */
const MANY = Array.from({ length: 8 })
const PATIENCE = { withinMs: 60_000 }

/** A mail that is clean as long as nobody adds the signature. */
function lurking(pattern: string, to: string): Buffer {
  return composeMail({ from: STRANGER, to, subject: 'the lurking one', body: `${pattern} ${randomUUID()}\r\n` })
}

/** Adds a signature of an operator's own; disposing takes it away again. Nobody is told of either. */
function addSignature(stack: Stack, pattern: string): Disposable {
  const path = join(stack.launcher.stateDir, 'clamav', `test-${randomUUID()}.ndb`)
  writeFileSync(`${path}.partial`, ndbLines({ 'Test.Late': pattern }))
  renameSync(`${path}.partial`, path)
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}

async function untilInForce(stack: Stack, pattern: string): Promise<void> {
  await eventually(
    async () => (await scanDirectly(stack.endpoints.clamdAddress, `${pattern} ${randomUUID()}`)).endsWith('FOUND'),
    PATIENCE,
  )
}

/** Whoever wants the lock of the maildrop, as to take a mail out, waits until this is disposed. */
async function holdMaildrop(stack: Stack, { address }: Mailbox): Promise<AsyncDisposable> {
  const client = new pg.Client(stack.endpoints.databaseUrl)
  await client.connect()
  await client.query('begin')
  const lock = `insert into maildrop_lease (account_id, holder, expires_at)
    select id, 'a test', now() from account where address = $1
    on conflict (account_id) do update set holder = excluded.holder`
  await client.query(lock, [address])
  return { [Symbol.asyncDispose]: () => client.end() }
}

const subjects = async (stack: Stack, mailbox: Mailbox) => (await stack.messages(mailbox)).map(subjectOf)

async function uidsOf(stack: Stack, mailbox: Mailbox): Promise<string[]> {
  await using pop3 = await stack.dialPop3s(mailbox)
  const uids = (await pop3.uidl()).map(({ uid }) => uid)
  await pop3.quit() // or the next session would come before this one's lock is given back
  return uids
}

/** Waits for the subjects of what lies in the maildrop. */
async function untilHolds(stack: Stack, mailbox: Mailbox, ...expected: string[]): Promise<void> {
  let found: string[] = []
  const isSo = async () => {
    found = await subjects(stack, mailbox)
    return isDeepStrictEqual(found.toSorted(), expected.toSorted())
  }
  await eventually(isSo, { ...PATIENCE, what: `${expected.join(' | ')} in the maildrop` }).catch((cause) => {
    throw new Error(`in the maildrop: ${found.join(' | ')}`, { cause })
  })
}

test('S1-21 a signature that comes after the mail: it leaves every maildrop, is in quarantine, and each owner is warned once', async () => {
  const stack = await backgroundStack()
  const [bob, silent, member] = [
    await stack.createMailbox({ locale: 'en' }),
    await stack.createMailbox(),
    await stack.createMailbox(),
  ]
  const list = await stack.createList(member)
  for (const { address } of [silent, member])
    await stack.api('PATCH', `/v1/accounts/${address}/preferences`, { virusWarning: false })
  const pattern = `late-${randomUUID()}`
  const recipients = [bob.address, silent.address, list]
  const queueId = await stack.sendAsStranger(STRANGER, recipients, lurking(pattern, bob.address))
  const other = await stack.sendAsStranger(STRANGER, [bob.address], composeMail({ from: STRANGER, to: bob.address }))
  await stack.ended(queueId, 4)
  await stack.ended(other)
  const before = await uidsOf(stack, bob)
  using _signature = addSignature(stack, pattern)
  await untilHolds(stack, bob, 'a test', 'Virus warning')
  const kept = new Set(before).intersection(new Set(await uidsOf(stack, bob)))
  assert.deepEqual([before.length, kept.size], [2, 1])
  await untilHolds(stack, member, 'ウイルス検知のお知らせ')
  await untilHolds(stack, silent)
  const item = await stack.quarantined(queueId)
  assert.match(String(item?.signature), /^Test\.Late/)
  assert.deepEqual([item?.kind, item?.state, item?.isReleasable], ['infected', 'kept', false])
  const { recipients: set } = item!.envelope as { recipients: { address: string }[] }
  assert.deepEqual(set.map(({ address }) => address).sort(), [bob.address, silent.address, member.address].sort())
  const ends = await stack.trace(queueId)
  const removed = ends.filter(({ stage, outcome }) => stage === 'rescan' && outcome === 'quarantined')
  assert.equal(removed.length, 3)
  const off = ends.filter(({ stage }) => stage === 'warning')
  assert.deepEqual(
    off.map(({ recipient, outcome }) => [recipient, outcome]),
    [[silent.address, 'dropped']],
  )
  const [, warning] = await stack.messages(bob)
  assert.match(
    textOf(warning!),
    /had been delivered to you already[\s\S]*Virus: Test\.Late[\s\S]*has fetched the mail already/,
  )
  const [inJapanese] = await stack.messages(member)
  assert.match(textOf(inJapanese!), /配送済みのメール[\s\S]*メーリングリスト[\s\S]*メールソフトからも削除/)
  const { rescan } = (await stack.api('GET', '/v1/signatures')).body
  assert.ok(rescan.infected >= 1 && rescan.waiting === 0, JSON.stringify(rescan))
  const metrics = await (await fetch(`${stack.endpoints.health.scanner}/metrics`)).text()
  assert.match(metrics, /^sekimori_rescanned_mails_total\{outcome="infected".*\} [1-9]/m)
})

test('S1-26 a warning of mail that had been delivered is suspended like any other, counted, and traced', async () => {
  const stack = await backgroundStack()
  const [bob, carol] = [await stack.createMailbox({ locale: 'en' }), await stack.createMailbox({ locale: 'en' })]
  const asked = { scope: 'address', value: bob.address, reason: 'a rescan', createdBy: 'a test' }
  const { id } = (await stack.api('POST', '/v1/warning-suspensions', asked)).body
  const pattern = `suspended-${randomUUID()}`
  const to = [bob.address, carol.address]
  const queueId = await stack.sendAsStranger(STRANGER, to, lurking(pattern, bob.address))
  await stack.ended(queueId, 2)
  using _signature = addSignature(stack, pattern)
  await untilHolds(stack, carol, 'Virus warning')
  const suspended = await eventually(async () => {
    const ends = (await stack.trace(queueId)).filter(({ stage }) => stage === 'warning')
    return ends.length > 0 && ends
  }, PATIENCE)
  const [end] = suspended
  assert.deepEqual([end?.recipient, end?.outcome, end?.detail], [bob.address, 'suspended', `suspension ${id}`])
  assert.equal((await stack.api('GET', `/v1/warning-suspensions/${id}`)).body.suppressed, 1)
  await stack.api('PATCH', `/v1/warning-suspensions/${id}`, { endsAt: 'now' })
  assert.deepEqual(await subjects(stack, bob), [])
})

test('S1-21 no mail leaves a maildrop that a POP3 session has open; after QUIT it does', async () => {
  const stack = await backgroundStack()
  const bob = await stack.createMailbox({ locale: 'en' })
  const pattern = `open-${randomUUID()}`
  const queueId = await stack.sendAsStranger(STRANGER, [bob.address], lurking(pattern, bob.address))
  await stack.ended(queueId)
  {
    await using pop3 = await stack.dialPop3s(bob)
    using _signature = addSignature(stack, pattern)
    await untilInForce(stack, pattern)
    await stack.api('POST', '/v1/signatures/rescan')
    const waiting = async () => (await stack.api('GET', '/v1/signatures')).body.rescan.waiting === 1
    await eventually(waiting, { ...PATIENCE, what: 'the infected mail to wait for the session' })
    await throughout(1_000, async () => {
      const [mail] = await pop3.retrieveAll()
      assert.match(String(mail), /the lurking one/)
    })
    assert.equal(await stack.quarantined(queueId), undefined)
    await pop3.quit()
    await untilHolds(stack, bob, 'Virus warning')
  }
  assert.match(String((await stack.quarantined(queueId))?.signature), /^Test\.Late/)
})

test('S1-16 the scanner is killed while it scans many delivered mails again: each owner is warned once, none is missed', async () => {
  const stack = await backgroundStack()
  const owners = await Promise.all(Array.from({ length: 5 }, () => stack.createMailbox({ locale: 'en' })))
  const pattern = `killed-${randomUUID()}`
  const queueIds: string[] = []
  for (const { address } of owners)
    for (const _ of MANY) queueIds.push(await stack.sendAsStranger(STRANGER, [address], lurking(pattern, address)))
  for (const queueId of queueIds) await stack.ended(queueId)
  // The rescan begins with the newest mail, and does not get past those of the first owner, the oldest.
  const held = await holdMaildrop(stack, owners[0]!)
  await using holds = new AsyncDisposableStack()
  holds.use(held)
  using _signature = addSignature(stack, pattern)
  await untilInForce(stack, pattern)
  await stack.api('POST', '/v1/signatures/rescan')
  const found = async () => {
    const counted = 'select count(*)::int as count from quarantine where queue_id = any($1)'
    return (await runStatement<{ count: number }>(stack.endpoints.databaseUrl, counted, [queueIds]))[0]!.count
  }
  await eventually(async () => (await found()) >= queueIds.length / 5, PATIENCE)
  await stack.processes.kill('scanner')
  assert.ok((await found()) < queueIds.length, 'it was not in the middle')
  await held[Symbol.asyncDispose]()
  for (const owner of owners) await untilHolds(stack, owner, ...MANY.map(() => 'Virus warning'))
  const texts = (await Promise.all(owners.map((owner) => stack.messages(owner)))).flat().map(textOf)
  const warned = texts.map((text) => /^Queue id: (\w+)$/m.exec(text)?.[1])
  assert.deepEqual(warned.sort(), queueIds.sort())
  assert.equal(await found(), queueIds.length)
})
