// One trace id from the SMTP session to the maildrop, in the logs of every service that a mail crosses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'

/** The trace ids under which the services logged this mail, once each of them has. */
async function traceIds(stack: Stack, queueId: string, services: string[]): Promise<string[]> {
  return eventually(() => {
    const ofMail = (line: Record<string, unknown>) => line.queueId === queueId && line.traceId !== undefined
    const found = services.map((service) => stack.logLines(service).filter(ofMail))
    return found.every((lines) => lines.length > 0) && found.flat().map(({ traceId }) => String(traceId))
  })
}

const INBOUND = ['mx-gateway', 'scanner', 'auth-verifier', 'local-delivery']
const SUBMITTED = ['submission-gateway', 'scanner', 'dkim-signer', 'auth-verifier', 'local-delivery', 'remote-delivery']

test('a mail keeps one trace id through every service, and each mail has another', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const fromOutside = composeMail({ from: 'x@sender.example', to: bob.address })
  const inbound = await stack.sendAsStranger('x@sender.example', [bob.address], fromOutside)
  const recipients = [bob.address, `friend@${stack.createRemoteDomain()}`]
  const submitted = await stack.submit(alice, recipients, composeMail({ from: alice.address, to: bob.address }))
  const seen = [...(await traceIds(stack, inbound, INBOUND))]
  assert.match(seen[0]!, /^[0-9a-f]{32}$/)
  assert.deepEqual([...new Set(seen)], [seen[0]])
  const others = await traceIds(stack, submitted, SUBMITTED)
  assert.deepEqual([...new Set(others)], [others[0]])
  assert.notEqual(others[0], seen[0])
})

test('logs hold neither content nor subjects nor passwords', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const mail = composeMail({
    from: alice.address,
    to: bob.address,
    subject: 'a-secret-subject',
    body: 'a-secret-body\r\n',
  })
  await stack.submit(alice, [bob.address], mail)
  await stack.received(bob)
  const services = Object.keys(stack.endpoints.health)
  assert.ok(services.length >= 10)
  for (const service of services) {
    const text = JSON.stringify(stack.logLines(service))
    for (const secret of [
      'a-secret-subject',
      'a-secret-body',
      alice.password,
      bob.password,
      stack.endpoints.adminApiKey,
    ])
      assert.ok(!text.includes(secret), `${service} logs what it must not`)
  }
})
