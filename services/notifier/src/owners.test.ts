// Whom a warning goes to when the mail was found infected after its delivery.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobHeader } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import { createLog } from '@sekimori/runtime/log'
import type { WaitingNotice } from '@sekimori/store/notice-outbox'
import type { InfectedMail, WarningParty } from '@sekimori/store/warning-decision'
import { handleNotice } from './handler.ts'
import { emptyOutbox } from './outbox-loop.ts'
import { infected, jobOf, portsThatNote, readNotice, SUBMITTED } from './testing/notices.ts'

const BOB = 'bob@example.test'

/** Decides that bob is warned, and notes whom the decision was about. */
function askedAbout(locale: 'ja' | 'en') {
  const asked: WarningParty[][] = []
  const decide = async (_mail: InfectedMail, parties: WarningParty[]) => {
    asked.push(parties)
    return new Map([[BOB, locale]])
  }
  return { asked, decide }
}

function found(job: JobHeader, list?: string): Notice {
  return { ...infected(job), kind: 'infected', signature: 'Late', delivered: list === undefined ? {} : { list } }
}

test('only the owner is warned, whoever sent the mail, and the account that sent it is not stopped', async () => {
  const { asked, decide } = askedAbout('en')
  const countInfected = () => assert.fail('it was counted as a mail of now')
  const { ports } = portsThatNote({}, { localVirusWarning: 'sender', decide, countInfected })
  const notices = await handleNotice(found(jobOf({ ...SUBMITTED, direction: 'inbound' })), ports)
  assert.equal(notices.length, 1)
  assert.deepEqual(asked, [[{ address: BOB, isListMember: false }]])
  assert.match(readNotice(notices[0]!).body, /had been delivered to you already/)
})

test('S1-32 who had it through a list is warned as its member, also when the list is gone', async () => {
  for (const list of ['staff@example.test', 'gone@example.test']) {
    const { asked, decide } = askedAbout('ja')
    const notices = await handleNotice(found(jobOf(), list), portsThatNote({}, { decide }).ports)
    assert.deepEqual(asked, [[{ address: BOB, isListMember: true }]])
    assert.match(readNotice(notices[0]!).body, new RegExp(`メーリングリスト: .*${RegExp.escape(list)}`))
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
