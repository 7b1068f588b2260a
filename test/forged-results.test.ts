// Header fields from outside that pose as ours are removed; everybody else's are kept as they came.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { HOSTNAME } from '@sekimori/testing/stack-settings'

const FORGED = [
  `Authentication-Results: ${HOSTNAME}; spf=pass smtp.mailfrom=forged.example; dkim=pass; dmarc=pass`,
  `AUTHENTICATION-RESULTS: ${HOSTNAME.toUpperCase()} 1;\r\n\tspf=pass smtp.mailfrom=forged.example`,
  `Authentication-Results:\r\n (a comment) ${HOSTNAME}. ; dmarc=pass header.from=forged.example`,
  `Authentication-Results: "${HOSTNAME}"; dmarc=pass header.from=forged.example`,
  `Received-SPF: pass (${HOSTNAME}: forged.example is fine) receiver=${HOSTNAME}`,
  `X-Virus-Status: clean; host=${HOSTNAME}; engine="forged.example"`,
]
const OTHERS = [
  'Authentication-Results: mx.other.example; spf=pass smtp.mailfrom=sender.example',
  'Received-SPF: pass (mx.other.example: sender.example designates 192.0.2.1) receiver=mx.other.example',
]

test('S2-13 forged results that bear our name are removed, those of others are kept', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const headers = [FORGED[0]!, OTHERS[0]!, ...FORGED.slice(1), OTHERS[1]!, 'X-Mine: kept']
  const mail = composeMail({ from: 'x@sender.example', to: bob.address, headers })
  await stack.sendAsStranger('x@sender.example', [bob.address], mail)
  const [received] = await stack.received(bob)
  assert.doesNotMatch(received!.toString('latin1'), /forged\.example/)
  const results = fieldsOf(received!, 'Authentication-Results')
  assert.equal(results.length, 2)
  assert.match(results[0]!, new RegExp(`^${HOSTNAME};`))
  assert.equal(`Authentication-Results: ${results[1]}`, OTHERS[0])
  assert.ok(fieldsOf(received!, 'Received-SPF').some((value) => `Received-SPF: ${value}` === OTHERS[1]))
  assert.match(fieldOf(received!, 'X-Virus-Status'), /^clean;.*engine="ClamAV/)
  assert.equal(fieldOf(received!, 'X-Mine'), 'kept')
})

test('S2-13 an account can not forge them either', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const mail = composeMail({ from: alice.address, to: bob.address, headers: FORGED })
  await stack.submit(alice, [bob.address], mail)
  const [received] = await stack.received(bob)
  assert.doesNotMatch(received!.toString('latin1'), /forged\.example/)
  assert.equal(fieldsOf(received!, 'Authentication-Results').length, 1)
  assert.equal(fieldsOf(received!, 'X-Virus-Status').length, 1)
})

test('S2-13 a mail that begins with a folded line adds nothing to the lines that we put above it', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const mail = composeMail({ from: 'x@sender.example', to: bob.address, subject: 'Hello' }).toString('latin1')
  const folded = Buffer.from(`\t; spf=pass forged.example\r\n (forged.example)\r\n${mail}`, 'latin1')
  await stack.sendAsStranger('x@sender.example', [bob.address], folded)
  const [received] = await stack.received(bob)
  assert.doesNotMatch(received!.toString('latin1'), /forged\.example/)
  assert.equal(fieldOf(received!, 'Subject'), 'Hello')
})
