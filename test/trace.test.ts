// "Where is my mail?": operators see their domains, accounts their own mail, and nobody sees content.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { callApi, type Method } from '@sekimori/testing/settings-client'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { createAccount, createAlias, createDomain, forward } from '@sekimori/testing/stack-addresses'

interface End {
  queueId: string
  recipient: string
  via?: string
  outcome: string
  detail?: string
  history: { stage: string; at: string; outcome: string }[]
}

/** Calls with a token made for this account or these domains. */
async function withToken(stack: Stack, wish: object) {
  const { status, body } = await stack.api('POST', '/v1/tokens', { name: 'a test', ...wish })
  assert.equal(status, 201)
  const call = (method: Method, path: string, given?: unknown) =>
    callApi(stack.endpoints.settingsApi, body.token, method, path, given)
  const ends = async (query: string): Promise<End[]> => (await call('GET', `/v1/messages?${query}`)).body.items
  return { call, ends, id: body.id as string }
}

const recipients = (ends: End[]) => ends.map(({ recipient }) => recipient).sort()

test('a mail is found by its queue id, Message-ID, address, time and outcome, with every stage and its time', async () => {
  const stack = await sharedStack()
  const [alice, to] = [await stack.createMailbox(), `Friend.Of@${stack.createRemoteDomain()}`]
  const mail = composeMail({ from: alice.address, to, subject: 'a-secret-subject', body: 'a-secret-body\r\n' })
  const since = new Date(Date.now() - 1_000).toISOString()
  const queueId = await stack.submit(alice, [to.replace('d-', 'D-')], mail)
  await stack.ended(queueId)
  const searches = [
    `queueId=${queueId}`,
    `messageId=${encodeURIComponent(fieldOf(mail, 'Message-ID'))}`,
    `address=${encodeURIComponent(to.toUpperCase())}`,
    `address=${encodeURIComponent(alice.address)}&since=${since}&outcome=sent`,
  ]
  for (const search of searches) {
    const { body } = await stack.api('GET', `/v1/messages?${search}`)
    assert.deepEqual(
      body.items.map((end: End) => end.queueId),
      [queueId],
      search,
    )
    assert.doesNotMatch(JSON.stringify(body), /a-secret/)
  }
  const [end] = (await stack.api('GET', `/v1/messages?queueId=${queueId}`)).body.items as [End]
  assert.deepEqual(
    end.history.map(({ stage }) => stage),
    ['submission', 'scan', 'sign', 'remote'],
  )
  assert.match(end.detail!, /250/)
  for (const { at } of end.history) assert.ok(Date.parse(at) > Date.now() - 600_000)
})

test('an account sees what it received and what it sent, not to whom others handed that on, and nothing else', async () => {
  const stack = await sharedStack()
  const [alice, bob, carol] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  const list = await stack.createList(bob, carol)
  const alias = await createAlias(stack, [bob.address])
  await forward(stack, carol, [`carol@${stack.createRemoteDomain()}`])
  const sent = await stack.submit(alice, [list, alias], composeMail({ from: alice.address, to: list }))
  await stack.ended(sent, 5)
  const spoofed = await stack.sendAsStranger(
    alice.address,
    [bob.address],
    composeMail({ from: alice.address, to: list }),
  )
  await stack.ended(spoofed)
  const [asAlice, asBob] = [
    await withToken(stack, { account: alice.address }),
    await withToken(stack, { account: bob.address }),
  ]
  assert.deepEqual(recipients(await asAlice.ends('')), [alias, list].sort())
  assert.deepEqual(recipients(await asBob.ends('')), [bob.address, bob.address])
  assert.deepEqual(recipients(await asBob.ends(`queueId=${sent}`)), [bob.address])
  assert.deepEqual(await asBob.ends(`address=${carol.address}`), [])
  assert.deepEqual(await asAlice.ends(`queueId=${spoofed}`), [])
  const asCarol = await withToken(stack, { account: carol.address })
  assert.equal((await asCarol.ends('')).filter(({ via }) => via === carol.address).length, 1)
})

test('an operator sees the mail of its domains, and no other', async () => {
  const stack = await sharedStack()
  const [mine, other] = [await createDomain(stack), await createDomain(stack)]
  const [ann, ben] = [await createAccount(stack, `ann@${mine}`), await createAccount(stack, `ben@${other}`)]
  const send = (to: string) =>
    stack.sendAsStranger('x@sender.example', [to], composeMail({ from: 'x@sender.example', to }))
  const [toAnn, toBen] = [await send(ann.address), await send(ben.address)]
  const between = await stack.submit(ann, [ben.address], composeMail({ from: ann.address, to: ben.address }))
  for (const queueId of [toAnn, toBen, between]) await stack.ended(queueId)
  const operator = await withToken(stack, { domains: [mine] })
  const seen = await operator.ends('')
  assert.deepEqual(seen.map(({ queueId }) => queueId).sort(), [toAnn, between].sort())
  assert.deepEqual(await operator.ends(`queueId=${toBen}`), [])
  assert.deepEqual(
    (await operator.ends(`address=${ben.address}`)).map(({ queueId }) => queueId),
    [between],
  )
})

test('a token opens nothing but the trace, ends when it is revoked, and with what it was for', async () => {
  const stack = await sharedStack()
  const domain = await createDomain(stack)
  const account = await createAccount(stack, `ann@${domain}`)
  const tokens = [
    await withToken(stack, { account: account.address }),
    await withToken(stack, { domains: [domain] }),
    await withToken(stack, { account: account.address }),
  ] as const
  for (const { call } of tokens.slice(0, 2)) {
    for (const path of [
      '/v1/accounts',
      `/v1/accounts/${account.address}`,
      '/v1/quarantine',
      '/v1/tokens',
      '/v1/aliases',
    ])
      assert.equal((await call('GET', path)).status, 403, path)
    assert.equal((await call('POST', '/v1/tokens', { name: 'more', domains: ['example.test'] })).status, 403)
    assert.equal((await call('DELETE', `/v1/accounts/${account.address}`)).status, 403)
    assert.equal((await call('GET', '/v1/messages')).status, 200)
  }
  const [ofAccount, ofDomain, revoked] = tokens
  assert.equal((await stack.api('DELETE', `/v1/tokens/${revoked.id}`)).status, 204)
  assert.equal((await revoked.call('GET', '/v1/messages')).status, 401)
  assert.equal((await stack.api('DELETE', `/v1/accounts/${account.address}`)).status, 204)
  assert.equal((await ofAccount.call('GET', '/v1/messages')).status, 401)
  await stack.api('DELETE', `/v1/domains/${domain}`)
  assert.deepEqual((await ofDomain.call('GET', '/v1/messages')).body.items, [])
  const wrong = [
    {},
    { account: account.address, domains: ['example.test'] },
    { domains: ['unknown.example'] },
    { account: 'no@example.test' },
  ]
  for (const wish of wrong) assert.equal((await stack.api('POST', '/v1/tokens', { name: 'x', ...wish })).status, 422)
})

test("an operator's token reaches waiting mail of its domains, and what is decided about where that goes; no more", async () => {
  const stack = await sharedStack()
  const [mine, other] = [await createDomain(stack), await createDomain(stack)]
  const [remote, elsewhere] = [stack.createRemoteDomain(), stack.createRemoteDomain()]
  const [ann, ben] = [await createAccount(stack, `ann@${mine}`), await createAccount(stack, `ben@${other}`)]
  for (const domain of [remote, elsewhere]) await stack.api('PATCH', `/v1/destinations/${domain}`, { isPaused: true })
  const send = (from: Mailbox, domain: string) =>
    stack.submit(from, [`x@${domain}`], composeMail({ from: from.address, to: `x@${domain}` }))
  const [ofAnn, ofBen] = [await send(ann, remote), await send(ben, remote), await send(ben, elsewhere)]
  const waiting = async (domain: string) => (await stack.api('GET', `/v1/deferred-mail?domain=${domain}`)).body.items
  await eventually(async () => (await waiting(remote)).length === 2 && (await waiting(elsewhere)).length === 1)

  const { call } = await withToken(stack, { domains: [mine] })
  const items = async (path: string) => (await call('GET', path)).body.items
  assert.deepEqual(await items('/v1/deferred-mail').then((all) => all.map(({ queueId }: End) => queueId)), [ofAnn])
  const [domain, ...more] = await items('/v1/deferred-mail/domains')
  assert.deepEqual([domain.domain, domain.recipients, more], [remote, 1, []])
  const named = (all: { domain: string }[]) => all.map((one) => one.domain)
  assert.deepEqual(named(await items('/v1/destinations')), [remote])
  assert.equal((await call('GET', `/v1/destinations/${remote}`)).body.isPaused, true)
  assert.equal((await call('GET', `/v1/destinations/${elsewhere}`)).status, 404)
  for (const method of ['PATCH', 'DELETE'] as const)
    assert.equal(
      (await call(method, `/v1/destinations/${remote}`, method === 'PATCH' ? { isPaused: false } : undefined)).status,
      403,
    )

  const cancel = { action: 'cancel', notice: false }
  const order = async (body: object) => (await call('POST', '/v1/deferred-mail/orders', body)).body.recipients
  assert.equal(await order({ ...cancel, queueId: ofBen }), 0)
  assert.equal(await order({ ...cancel, domain: elsewhere }), 0)
  assert.equal(await order({ ...cancel, domain: remote }), 1)
  assert.equal((await stack.ended(ofAnn))[0]!.outcome, 'cancelled')
  assert.equal((await waiting(remote)).length, 1)
  const asAnn = await withToken(stack, { account: ann.address })
  for (const path of ['/v1/deferred-mail', '/v1/deferred-mail/domains', '/v1/destinations'])
    assert.equal((await asAnn.call('GET', path)).status, 403, path)
  for (const name of [remote, elsewhere]) {
    await stack.api('POST', '/v1/deferred-mail/orders', { ...cancel, domain: name })
    await stack.api('DELETE', `/v1/destinations/${name}`)
  }
})
