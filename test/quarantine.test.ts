// What was set aside: operators see what it was, and nobody gets it back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eicar } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { mailWithAttachment, virusMail } from '@sekimori/testing/virus-mail'

test('S1-16 the quarantine knows signature, engine, envelope, session and a summary of each mail', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const mail = virusMail({ from: alice.address, to: bob.address, subject: 'the invoice' })
  const queueId = await stack.submit(alice, [bob.address, 'friend@elsewhere.example'], mail)
  await stack.received(alice, 1)
  const item = (await stack.quarantined(queueId)) as Record<string, Record<string, unknown>>
  assert.equal(item.queueId, queueId)
  assert.equal(item.direction, 'submission')
  assert.match(String(item.signature), /Eicar/i)
  assert.match(String(item.engine), /ClamAV/)
  assert.equal(item.envelope!.mailFrom, alice.address)
  assert.deepEqual(item.envelope!.recipients, [{ address: bob.address }, { address: 'friend@elsewhere.example' }])
  assert.equal(item.session!.account, alice.address)
  assert.equal(item.session!.clientAddress, '127.0.0.1')
  assert.equal(item.summary!.subject, 'the invoice')
  assert.equal(item.sizeBytes, mail.length)
  const { body } = await stack.api('GET', '/v1/quarantine?limit=200')
  assert.ok(body.items.some((listed: { queueId: string }) => listed.queueId === queueId))
})

test('S1-20 no call hands out what was set aside, in no form, and the mail is in no maildrop', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const file = Buffer.from(eicar())
  const mail = mailWithAttachment({ from: 'x@sender.example', to: bob.address }, 'invoice.com', file)
  const queueId = await stack.sendAsStranger('x@sender.example', [bob.address], mail)
  await stack.received(bob, 1)
  const answers = [
    await stack.api('GET', '/v1/quarantine?limit=200'),
    await stack.api('GET', `/v1/quarantine/${queueId}`),
  ]
  for (const { status, body } of answers) {
    assert.equal(status, 200)
    const mine = body.items.filter((item: { queueId: string }) => item.queueId === queueId)
    assert.equal(mine.length, 1)
    assert.doesNotMatch(JSON.stringify(mine), /STANDARD-ANTIVIRUS|Please find the file|invoice\.com/)
  }
  const { body: openApi } = await stack.api('GET', '/documentation/json')
  const calls = Object.entries(openApi.paths as Record<string, object>)
    .filter(([path]) => path.includes('quarantine'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
  assert.deepEqual(calls.sort(), [
    'delete /v1/quarantine/{queueId}',
    'get /v1/quarantine',
    'get /v1/quarantine-accesses',
    'get /v1/quarantine/{queueId}',
    'post /v1/quarantine/{queueId}/release',
  ])
  for (const path of ['content', 'raw', 'message'])
    for (const method of ['GET', 'POST'] as const)
      assert.equal((await stack.api(method, `/v1/quarantine/${queueId}/${path}`)).status, 404)
})

test('S1-20 infected mail is not released by anybody: the order is refused and nothing arrives', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const virus = virusMail({ from: 'x@sender.example', to: bob.address })
  const queueId = await stack.sendAsStranger('x@sender.example', [bob.address], virus)
  await stack.received(bob, 1)
  for (const query of ['', '?kind=infected', '?kind=held', '?direction=inbound']) {
    const answer = await stack.api('POST', `/v1/quarantine/${queueId}/release${query}`)
    assert.ok([404, 409].includes(answer.status), `${query}: ${answer.status}`)
  }
  const later = mailWithAttachment({ from: 'x@sender.example', to: bob.address }, 'a.txt', Buffer.from('a'))
  await stack.sendAsStranger('x@sender.example', [bob.address], later)
  const mails = await stack.received(bob, 2)
  assert.ok(!mails.some((mail) => mail.includes('STANDARD-ANTIVIRUS')))
  const kept = await stack.quarantined(queueId)
  assert.deepEqual([kept?.kind, kept?.state], ['infected', 'kept'])
})
