// Who is warned of an infected mail: every combination of sender, recipient, list and switch (S1-17..19, S1-28..32).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handleNotice } from './handler.ts'
import { infected, jobOf, portsThatNote, SUBMITTED } from './testing/notices.ts'

const OFF = { hasVirusWarning: false }

async function warned(
  ...[job, preferences, changes]: [Parameters<typeof infected>[0], ...Parameters<typeof portsThatNote>]
) {
  const { ports, ends } = portsThatNote(preferences, changes)
  const publications = await handleNotice(infected(job), ports)
  const to = publications.map(
    ({ message }) => (message as unknown as ReturnType<typeof jobOf>).envelope.recipients[0]!.address,
  )
  return { to: to.sort(), silenced: ends.map(({ recipient, stage, outcome }) => `${recipient} ${stage} ${outcome}`) }
}

test('S1-18 mail from outside: each local recipient is warned, nobody outside ever is', async () => {
  const job = jobOf({ to: ['bob@example.test', 'carol@example.test', 'gone@example.test', 'x@elsewhere.test'] })
  assert.deepEqual(await warned(job), { to: ['bob@example.test', 'carol@example.test'], silenced: [] })
})

test('S1-17 mail to outside: the sender is warned', async () => {
  assert.deepEqual((await warned(jobOf({ ...SUBMITTED, to: ['x@elsewhere.test'] }))).to, ['alice@example.test'])
})

test('S1-19 mail between two local accounts: both are warned, or the sender alone if the operator wants that', async () => {
  const job = jobOf(SUBMITTED)
  assert.deepEqual((await warned(job)).to, ['alice@example.test', 'bob@example.test'])
  assert.deepEqual((await warned(job, {}, { localVirusWarning: 'sender' })).to, ['alice@example.test'])
  // The narrower reading is about local senders: mail from outside still warns its recipients.
  assert.deepEqual((await warned(jobOf(), {}, { localVirusWarning: 'sender' })).to, ['bob@example.test'])
  assert.deepEqual((await warned(jobOf({ ...SUBMITTED, to: ['alice@example.test'] }))).to, ['alice@example.test'])
})

test('S1-28 who switched warnings off is not warned, as sender or as recipient, and that stands in the trace', async () => {
  assert.deepEqual(await warned(jobOf(), { 'bob@example.test': OFF }), {
    to: [],
    silenced: ['bob@example.test warning dropped'],
  })
  assert.deepEqual(await warned(jobOf(SUBMITTED), { 'alice@example.test': OFF }), {
    to: ['bob@example.test'],
    silenced: ['alice@example.test warning dropped'],
  })
})

test('S1-32 a member of a list is warned of mail to the list, whatever the switch says, once', async () => {
  for (const to of [
    ['staff@example.test'],
    ['bob@example.test', 'staff@example.test'],
    ['staff@example.test', 'bob@example.test'],
    ['staff@example.test', 'staff@example.test'],
  ])
    assert.deepEqual(await warned(jobOf({ to }), { 'bob@example.test': OFF }), {
      to: ['bob@example.test', 'carol@example.test'],
      silenced: [],
    })
})

test('a sender who is on the list, too, keeps the exception, and is warned as the sender', async () => {
  const job = jobOf({
    direction: 'submission',
    session: { receivedBy: 'submission', account: 'bob@example.test' },
    to: ['staff@example.test'],
  })
  assert.deepEqual((await warned(job, { 'bob@example.test': OFF })).to, ['bob@example.test', 'carol@example.test'])
})

test('our own notices warn nobody of themselves: there is no loop', async () => {
  const own = jobOf({ session: { receivedBy: 'internal' }, to: ['bob@example.test', 'staff@example.test'] })
  own.history = [{ stage: 'notify', at: 1, outcome: 'written without details' }]
  assert.deepEqual(await warned(own), { to: [], silenced: [] })
})
