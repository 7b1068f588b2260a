// Addresses that stand for others: aliases, catch-all, plus-addressing, and the postmaster that every host must have.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldsOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { DOMAIN, type Stack } from '@sekimori/testing/stack'
import { createAccount, createAlias, createDomain } from '@sekimori/testing/stack-addresses'

const SENDER = 'stranger@sender.example'
const mailTo = (to: string, subject = 'a test') => composeMail({ from: SENDER, to, subject })

/** The answer to RCPT in a session on 25. */
async function rcpt(stack: Stack, recipient: string, code: number): Promise<string | undefined> {
  await using smtp = await stack.dialMx()
  await smtp.say(`MAIL FROM:<${SENDER}> SMTPUTF8`, 250)
  return (await smtp.say(`RCPT TO:<${recipient}>`, code)).enhanced
}

test('an alias reaches all of its targets, through other aliases and lists too, each person once', async () => {
  const stack = await sharedStack()
  const [bob, carol, dave] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  const list = await stack.createList(bob, carol)
  const inner = await createAlias(stack, [bob.address, list])
  const outer = await createAlias(stack, [inner, carol.address, dave.address])
  const queueId = await stack.sendAsStranger(SENDER, [outer, bob.address, list], mailTo(outer))
  await stack.ended(queueId, 6)
  for (const person of [bob, carol, dave]) await stack.received(person, 1)
  const ends = (await stack.trace(queueId)).map(({ recipient, stage, outcome }) => `${recipient} ${stage} ${outcome}`)
  assert.ok(ends.includes(`${outer} alias expanded`) && ends.includes(`${inner} alias expanded`))
})

test('an account writes to an alias, and several aliases share a target', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const [one, two] = [await createAlias(stack, [bob.address]), await createAlias(stack, [bob.address])]
  await stack.submit(alice, [one, two], composeMail({ from: alice.address, to: one }))
  const [mail] = await stack.received(bob, 1)
  assert.deepEqual(fieldsOf(mail!, 'Delivered-To'), [bob.address])
})

test('aliases that lead round in circles lead nowhere: 550 5.1.1', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const first = await createAlias(stack, [bob.address])
  const second = await createAlias(stack, [first])
  assert.equal((await stack.api('PUT', `/v1/aliases/${first}/targets`, { targets: [second] })).status, 200)
  assert.equal(await rcpt(stack, first, 550), '5.1.1')
  await stack.api('PUT', `/v1/aliases/${first}/targets`, { targets: [second, bob.address] })
  for (const alias of [first, second]) await eventually(() => rcpt(stack, alias, 250)) // once the news has come to the gateway
  await stack.sendAsStranger(SENDER, [second, first], mailTo(first))
  await stack.received(bob, 1)
})

test('a catch-all takes what no other address of its domain takes', async () => {
  const stack = await sharedStack()
  const domain = await createDomain(stack)
  const [bob, carol] = [await createAccount(stack, `bob@${domain}`), await createAccount(stack, `carol@${domain}`)]
  assert.equal(await rcpt(stack, `anyone@${domain}`, 550), '5.1.1')
  await createAlias(stack, [bob.address], `*@${domain}`)
  await stack.sendAsStranger(SENDER, [`Any.One@${domain}`, carol.address], mailTo(`any.one@${domain}`))
  await stack.received(bob, 1)
  await stack.received(carol, 1)
  assert.equal((await stack.api('DELETE', `/v1/aliases/${encodeURIComponent(`*@${domain}`)}`)).status, 204)
  assert.equal(await rcpt(stack, `anyone@${domain}`, 550), '5.1.1')
})

test('name+tag reaches name where the domain wants that, and is unknown elsewhere', async () => {
  const stack = await sharedStack()
  const domain = await createDomain(stack, { plusAddressing: true })
  const bob = await createAccount(stack, `bob@${domain}`)
  const exact = await createAccount(stack, `bob+own@${domain}`)
  await stack.sendAsStranger(SENDER, [`Bob+News+2@${domain}`], mailTo(bob.address, 'tagged'))
  await stack.sendAsStranger(SENDER, [exact.address], mailTo(exact.address, 'exact'))
  assert.deepEqual((await stack.received(bob, 1)).map(subjectOf), ['tagged'])
  assert.deepEqual((await stack.received(exact, 1)).map(subjectOf), ['exact'])
  const elsewhere = await stack.createMailbox()
  assert.equal(await rcpt(stack, elsewhere.address.replace('@', '+x@'), 550), '5.1.1')
  assert.equal(await rcpt(stack, `+x@${domain}`, 550), '5.1.1')
})

test('postmaster without a domain, and postmaster and abuse of any domain here, reach somebody', async () => {
  const stack = await sharedStack()
  const domain = await createDomain(stack)
  const first = await createAccount(stack, `first@${domain}`)
  const second = await createAccount(stack, `second@${domain}`)
  await stack.sendAsStranger(SENDER, [`abuse@${domain}`], mailTo(`abuse@${domain}`, 'unnamed'))
  assert.deepEqual((await stack.received(first, 1)).map(subjectOf), ['unnamed'])
  await createAlias(stack, [second.address], `postmaster@${domain}`)
  await stack.sendAsStranger(SENDER, [`PostMaster@${domain}`], mailTo(`postmaster@${domain}`, 'named'))
  await stack.sendAsStranger('', [`abuse@${domain}`], mailTo(`abuse@${domain}`, 'abuse'))
  assert.deepEqual((await stack.received(second, 2)).map(subjectOf).sort(), ['abuse', 'named'])
  const queueId = await stack.sendAsStranger(SENDER, ['Postmaster'], mailTo('postmaster', 'bare'))
  const ends = await stack.ended(queueId, 2)
  assert.ok(ends.some(({ stage, outcome }) => stage === 'maildrop' && outcome === 'delivered'))
  assert.ok(ends.some(({ recipient }) => recipient === `postmaster@${DOMAIN}` || recipient.startsWith('postmaster@')))
  await stack.submit(first, ['postmaster'], composeMail({ from: first.address, to: 'postmaster', subject: 'own' }))
  assert.deepEqual((await stack.received(second, 3)).map(subjectOf).sort(), ['abuse', 'named', 'own'])
})

test('addresses are found whatever their case and their Unicode form', async () => {
  const stack = await sharedStack()
  const [bob, local] = [await stack.createMailbox(), `カフェ-é-${randomUUID().slice(0, 8)}`]
  const address = await createAlias(stack, [bob.address], `${local}@${DOMAIN}`.normalize('NFC'))
  const written = `${local.toUpperCase()}@${DOMAIN.toUpperCase()}`.normalize('NFD')
  await using smtp = await stack.dialMx()
  await smtp.say(`MAIL FROM:<${SENDER}> SMTPUTF8`, 250)
  await smtp.say(`RCPT TO:<${written}>`, 250)
  await smtp.say('DATA', 354)
  await smtp.sendMessage(mailTo(address), 250)
  await stack.received(bob, 1)
  const taken = await stack.api('POST', '/v1/accounts', { address: written, password: 'long enough' })
  assert.deepEqual([taken.status, taken.body.type], [409, '/problems/address-taken'])
})

test('an alias is listed, shown and removed; its targets must exist where they are here', async () => {
  const stack = await sharedStack()
  const domain = await createDomain(stack)
  const bob = await createAccount(stack, `bob@${domain}`)
  const create = (address: string, ...targets: string[]) => stack.api('POST', '/v1/aliases', { address, targets })
  assert.equal((await create(`sales@${domain}`, `nobody@${domain}`)).body.errors[0].pointer, '/targets/0')
  assert.equal((await create(`sales@elsewhere.example`, bob.address)).status, 422)
  assert.equal((await create(bob.address, `x@elsewhere.example`)).status, 409)
  const targets = [`bob@${domain}`, 'x@elsewhere.example']
  assert.deepEqual((await create(`Sales@${domain}`, ...targets)).body.targets, targets)
  const { items } = (await stack.api('GET', `/v1/aliases?domain=${domain}`)).body
  assert.deepEqual(
    items.map((alias: { address: string }) => alias.address),
    [`sales@${domain}`],
  )
  assert.deepEqual((await stack.api('GET', `/v1/aliases/SALES@${domain}`)).body.targets, targets)
  assert.equal((await stack.api('DELETE', `/v1/aliases/sales@${domain}`)).status, 204)
  assert.equal((await stack.api('GET', `/v1/aliases/sales@${domain}`)).status, 404)
})
