// Who is warned of an infected mail, over all kinds of senders and recipients: the exact set, and nobody outside ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { virusMail } from '@sekimori/testing/virus-mail'

const ROLES = ['sender', 'recipient', 'member', 'owner'] as const
type Role = (typeof ROLES)[number]

interface Cell {
  from: 'account' | 'stranger'
  /** `list` has member and owner; `own list` the sender as well. */
  to: ('local' | 'list' | 'own list' | 'remote')[]
  /** Who has switched warnings off. */
  off: 'all' | 'none' | Role
  warned: Role[]
}

const CELLS: Cell[] = [
  { from: 'account', to: ['local'], off: 'all', warned: [] },
  { from: 'account', to: ['remote'], off: 'all', warned: [] },
  { from: 'stranger', to: ['local'], off: 'all', warned: [] },
  { from: 'account', to: ['local'], off: 'sender', warned: ['recipient'] },
  { from: 'account', to: ['local'], off: 'recipient', warned: ['sender'] },
  { from: 'account', to: ['list'], off: 'all', warned: ['member', 'owner'] },
  { from: 'account', to: ['own list'], off: 'all', warned: ['member', 'owner', 'sender'] },
  {
    from: 'account',
    to: ['list', 'remote', 'local'],
    off: 'member',
    warned: ['member', 'owner', 'recipient', 'sender'],
  },
  { from: 'stranger', to: ['list'], off: 'all', warned: ['member', 'owner'] },
  { from: 'stranger', to: ['list', 'local'], off: 'recipient', warned: ['member', 'owner'] },
  { from: 'account', to: ['remote'], off: 'none', warned: ['sender'] },
  { from: 'account', to: ['list'], off: 'none', warned: ['member', 'owner', 'sender'] },
  { from: 'stranger', to: ['list'], off: 'none', warned: ['member', 'owner'] },
  { from: 'account', to: ['local'], off: 'none', warned: ['recipient', 'sender'] },
  { from: 'stranger', to: ['local'], off: 'none', warned: ['recipient'] },
]

interface Sent {
  cell: Cell
  people: Record<Role, Mailbox>
  domain: string
  queueId: string
}

async function createPeople(stack: Stack, off: Cell['off']): Promise<Record<Role, Mailbox>> {
  const people = {} as Record<Role, Mailbox>
  for (const role of ROLES) {
    people[role] = await stack.createMailbox()
    if (off !== 'all' && off !== role) continue
    await stack.api('PATCH', `/v1/accounts/${people[role].address}/preferences`, { virusWarning: false })
  }
  return people
}

async function send(stack: Stack, cell: Cell): Promise<Sent> {
  const people = await createPeople(stack, cell.off)
  const domain = stack.createRemoteDomain()
  const recipients: string[] = []
  for (const to of cell.to) {
    if (to === 'local') recipients.push(people.recipient.address)
    else if (to === 'remote') recipients.push(`friend@${domain}`)
    else recipients.push(await stack.createList(people.member, people.owner, ...(to === 'list' ? [] : [people.sender])))
  }
  const from = cell.from === 'account' ? people.sender.address : `stranger@${domain}`
  const mail = virusMail({ from, to: recipients[0]! })
  const queueId =
    cell.from === 'account'
      ? await stack.submit(people.sender, recipients, mail)
      : await stack.sendAsStranger(from, recipients, mail)
  return { cell, people, domain, queueId }
}

const nameOf = ({ from, to, off }: Cell) => `${from} to ${to.join(' and ')}, warnings off: ${off}`

/** Resolves when the mail has ended for everybody whom it concerns; then a warning too many would be under way, too. */
async function untilDecided(stack: Stack, { cell, people, queueId }: Sent): Promise<void> {
  for (const role of cell.warned) await stack.received(people[role])
  const ends = await stack.ended(queueId, cell.to.length)
  assert.ok(
    ends.every(({ stage }) => stage === 'quarantine' || stage === 'warning'),
    nameOf(cell),
  )
  assert.equal((await stack.quarantined(queueId))?.direction, cell.from === 'account' ? 'submission' : 'inbound')
}

async function assertDropped(stack: Stack, { cell, people, queueId }: Sent): Promise<void> {
  const concerned: Role[] = []
  if (cell.from === 'account') concerned.push('sender')
  if (cell.to.includes('local')) concerned.push('recipient')
  const silent = concerned.filter((role) => !cell.warned.includes(role)).map((role) => people[role].address)
  const dropped = await eventually(async () => {
    const ends = (await stack.trace(queueId)).filter(({ stage }) => stage === 'warning')
    return ends.length >= silent.length && ends
  })
  assert.deepEqual(
    dropped.map(({ recipient, outcome }) => [recipient, outcome]).sort(),
    silent.map((a) => [a, 'dropped']).sort(),
  )
}

test('S1-17 S1-18 S1-19 S1-28 S1-32 the matrix: exactly those are warned whom the mail concerns, and no mail leaves', async () => {
  const stack = await sharedStack()
  const sent: Sent[] = []
  for (const cell of CELLS) sent.push(await send(stack, cell))
  for (const one of sent) {
    await untilDecided(stack, one)
    await assertDropped(stack, one)
  }
  for (const { cell, people, domain } of sent) {
    const warned: Role[] = []
    for (const role of ROLES) {
      const subjects = (await stack.messages(people[role])).map(subjectOf)
      if (subjects.length > 0) assert.deepEqual(subjects, ['ウイルス検知のお知らせ'], nameOf(cell))
      if (subjects.length > 0) warned.push(role)
    }
    assert.deepEqual(warned.sort(), cell.warned, nameOf(cell))
    const left = stack.remote.mails.filter(({ recipients }) => recipients.some((to) => to.endsWith(`@${domain}`)))
    assert.equal(left.length, 0, nameOf(cell))
  }
})

test('S1-03 S1-17 a stranger can not even name a recipient elsewhere, so nobody is warned', async () => {
  const stack = await sharedStack()
  const domain = stack.createRemoteDomain()
  await using smtp = await stack.dialMx()
  await smtp.say(`MAIL FROM:<stranger@${domain}>`, 250)
  await smtp.say(`RCPT TO:<friend@${domain}>`, 550)
  const { body } = await stack.api('GET', `/v1/messages?address=friend@${domain}`)
  assert.deepEqual(body.items, [])
})
