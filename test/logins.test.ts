// Logins over real sockets: failures slow the guesser down on every port, and a device has a password of its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { dialPop3 } from '@sekimori/testing/pop3-dialer'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

/** The reply to PASS on 995. */
async function pop3Login(stack: Stack, { address, password }: Mailbox, status: '+OK' | '-ERR') {
  await using pop3 = await dialPop3(stack.endpoints.pop3s, { tls: 'implicit', ca: stack.ca })
  const reply = await pop3.login(address, password, status)
  if (status === '+OK') await pop3.quit()
  return reply
}

/** The reply to AUTH on 465. */
async function smtpLogin(stack: Stack, { address, password }: Mailbox, code: number) {
  await using smtp = await dialSmtp(stack.endpoints.smtps, { tls: 'implicit', ca: stack.ca })
  await smtp.say('EHLO client.example', 250)
  return await smtp.authPlain(address, password, code)
}

test('ten failed logins on 995 make the network wait on 995 and on 465, at that account only', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  for (let round = 0; round < 10; round++)
    assert.equal((await pop3Login(stack, { ...alice, password: `guess ${round}` }, '-ERR')).responseCode, 'AUTH')
  const reply = await pop3Login(stack, alice, '-ERR')
  assert.deepEqual(reply, {
    status: '-ERR',
    responseCode: 'SYS/TEMP',
    text: 'Too many failed logins from your network, try again later',
  })
  assert.equal((await smtpLogin(stack, alice, 454)).enhanced, '4.7.0')
  await pop3Login(stack, bob, '+OK')
})

test('an app password works for its service, and not any more once it is taken back', async () => {
  const stack = await sharedStack()
  const { address } = await stack.createMailbox()
  const path = `/v1/accounts/${address}/app-passwords`
  const { body } = await stack.api('POST', path, { name: 'phone', services: ['pop3'] })
  const device = { address, password: body.password }
  await pop3Login(stack, device, '+OK')
  await smtpLogin(stack, device, 535)
  assert.equal((await stack.api('GET', path)).body.items[0].lastUsed.for, 'pop3')
  assert.equal((await stack.api('DELETE', `${path}/${body.id}`)).status, 204)
  await eventually(() => pop3Login(stack, device, '-ERR'))
})
