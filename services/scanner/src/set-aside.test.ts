// What becomes of mail by verdict, released mail and mail after a crash included; ports are objects.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContentGone } from '@sekimori/store/content'
import { handleScan } from './handler.ts'
import {
  addresses,
  ENGINE,
  fromAlice,
  head,
  jobOf,
  notices,
  onward,
  portsFor,
  unscannable,
} from './testing/scan-ports.ts'

test('clean mail goes on with verdict, engine and signature version in header and history', async () => {
  const ports = portsFor({ kind: 'clean' })
  const published = await handleScan(jobOf({}, 'bob@hold.test'), ports)
  assert.equal(published.length, 1)
  const [job] = onward(published, 'authenticate')
  assert.equal(job?.added[0], `X-Virus-Status: clean; host=mail.example.test;\r\n\tengine="${ENGINE}"`)
  assert.equal(job?.history[0]?.outcome, `clean by ${ENGINE}`)
  assert.deepEqual(ports.aside, [])
  const [sent] = onward(await handleScan(jobOf(fromAlice, 'x@elsewhere.example'), ports), 'sign')
  assert.deepEqual(addresses(sent), ['x@elsewhere.example'])
})

test('S1-16 infected mail is set aside for all its recipients, whatever their domains want, and its parties are told', async () => {
  const ports = portsFor({ kind: 'infected', signature: 'Eicar' })
  const published = await handleScan(jobOf({}, 'a@deliver.test', 'b@hold.test'), ports)
  assert.deepEqual(
    published.map(({ queue }) => queue.name),
    ['notify'],
  )
  assert.deepEqual(addresses(notices(published)[0]?.job), ['a@deliver.test', 'b@hold.test'])
  assert.deepEqual(
    ports.aside.map(({ parts, isEnd }) => [parts.map(({ kind }) => kind), isEnd]),
    [[['infected'], true]],
  )
})

const released = { reason: 'encrypted', direction: 'inbound', kind: 'held', token: 't1' } as const

test('released mail goes on though its domain would hold it, and never passes for clean', async () => {
  for (const verdict of [unscannable, { kind: 'clean' } as const]) {
    const ports = portsFor(verdict)
    const published = await handleScan(jobOf({ released }, 'b@notify.hold.test'), ports)
    assert.deepEqual(
      published.map(({ queue }) => queue.name),
      ['authenticate'],
    )
    const [job] = onward(published, 'authenticate')
    assert.match(job!.added[0]!, /^X-Virus-Status: unscannable \(encrypted\);/)
    assert.deepEqual(ports.aside, [])
  }
})

test('released mail in which a virus is found now is stopped', async () => {
  const ports = portsFor({ kind: 'infected', signature: 'New' })
  const published = await handleScan(jobOf({ released }, 'b@hold.test'), ports)
  assert.deepEqual(
    published.map(({ queue }) => queue.name),
    ['notify'],
  )
  assert.deepEqual(
    ports.aside[0]?.parts.map(({ kind }) => kind),
    ['infected'],
  )
})

test('the second job of a release goes nowhere, and is not even scanned', async () => {
  const scan = () => assert.fail('it was scanned')
  const ports = portsFor(unscannable, { claimRelease: async () => false, scan })
  assert.deepEqual(await handleScan(jobOf({ released }, 'b@hold.test'), ports), [])
})

test('a mail that was set aside before a crash is told of though its content is sealed by now', async () => {
  const recipients = [{ address: 'b@notify.hold.test' }]
  const scan = async () => {
    throw new ContentGone('gone')
  }
  const recall = async () => ({ parts: [{ kind: 'infected' as const, signature: 'Eicar', recipients }], head })
  const job = jobOf({}, 'b@notify.hold.test')
  const published = await handleScan(job, portsFor({ kind: 'clean' }, { scan, recall }))
  const [notice] = notices(published)
  assert.deepEqual([notice?.kind, addresses(notice?.job)], ['infected', ['b@notify.hold.test']])
  await assert.rejects(handleScan(job, portsFor({ kind: 'clean' }, { scan })), ContentGone)
  // Another recipient, of whom nothing was set aside, has no end: the mail is lost for that one, which must not be passed over.
  const haveAllEnded = async () => false
  await assert.rejects(handleScan(job, portsFor({ kind: 'clean' }, { scan, recall, haveAllEnded })), ContentGone)
})

test('what can not be set aside is not decided: nothing is published', async () => {
  const setAside = async () => {
    throw new Error('no database')
  }
  await assert.rejects(handleScan(jobOf({}, 'b@hold.test'), portsFor(unscannable, { setAside })), /no database/)
})
