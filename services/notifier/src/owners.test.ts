// Whom a warning goes to when the mail was found infected after its delivery.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@sekimori/runtime/log'
import type { WaitingNotice } from '@sekimori/store/notice-outbox'
import type { InfectedMail, WarningParty } from '@sekimori/store/warning-decision'
import { handleNotice } from './handler.ts'
import { emptyOutbox } from './outbox-loop.ts'
import { infected, jobOf, portsThatNote, readNotice, SUBMITTED } from './testing/notices.ts'

const BOB = 'bob@example.test'

test('only the owner is warned, whoever sent the mail, and the account that sent it is not stopped', async () => {
  const asked: WarningParty[][] = []
  const { ports } = portsThatNote(
    {},
    {
      localVirusWarning: 'sender',
      decide: async (_mail: InfectedMail, parties) => asked.push(parties) && new Map([[BOB, 'en' as const]]),
      countInfected: () => assert.fail('it was counted as a mail of now'),
    },
  )
  const notice = { ...infected(jobOf({ ...SUBMITTED, direction: 'inbound' })), delivered: {} }
  const [warning, ...more] = (await handleNotice(notice, ports)).map(readNotice)
  assert.deepEqual(more, [])
  assert.deepEqual(asked, [[{ address: BOB, isListMember: false }]])
  assert.match(warning!.body, /had been delivered to you already/)
})

test('S1-32 who had it through a list is warned as its member, also when the list is gone', async () => {
  for (const list of ['staff@example.test', 'gone@example.test']) {
    const asked: WarningParty[][] = []
    const { ports } = portsThatNote(
      {},
      { decide: async (_mail, parties) => asked.push(parties) && new Map([[BOB, 'ja' as const]]) },
    )
    const notices = await handleNotice({ ...infected(jobOf()), delivered: { list } }, ports)
    assert.deepEqual(asked, [[{ address: BOB, isListMember: true }]])
    assert.match(readNotice(notices[0]!).body, new RegExp(`メーリングリスト: .*${list.replace('.', '\\.')}`))
  }
})

test('a notice leaves the outbox when the broker has it, not before', async () => {
  const said: string[] = []
  const waiting: WaitingNotice[] = [{ id: '1', notice: infected(jobOf()) }]
  const ports = {
    waiting: async () => waiting,
    publish: async ({ queue }: { queue: { name: string } }) => void said.push(`published to ${queue.name}`),
    remove: async (id: string) => void said.push(`removed ${id}`),
    whenUp: async () => {},
    log: createLog('test', 'silent'),
  }
  assert.equal(await emptyOutbox(ports), true)
  assert.deepEqual(said, ['published to notify', 'removed 1'])
  said.length = 0
  const away = async () => {
    throw new Error('no confirm')
  }
  assert.equal(await emptyOutbox({ ...ports, publish: away }), false)
  assert.deepEqual(said, [])
})
