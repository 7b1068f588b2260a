// A domain changes its DKIM keys: nothing is signed with a key that DNS does not show, and what was signed before stays valid.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { checkSignatures } from '@sekimori/testing/dkim-check'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

interface Key {
  selector: string
  state: string
  dnsName: string
  dnsRecord: string
}

async function openDomain(stack: Stack): Promise<{ path: string; sender: Mailbox }> {
  const domain = `r-${randomUUID().slice(0, 13)}.test`
  const sender = { address: `sender@${domain}`, password: 'correct horse battery' }
  assert.equal((await stack.api('POST', '/v1/domains', { name: domain })).status, 201)
  assert.equal((await stack.api('POST', '/v1/accounts', sender)).status, 201)
  return { path: `/v1/domains/${domain}/dkim-keys`, sender }
}

async function keys(stack: Stack, path: string, state: string): Promise<Key[]> {
  const { body } = await stack.api('GET', path)
  return body.items.filter((key: Key) => key.state === state)
}

async function signedMail(stack: Stack, sender: Mailbox): Promise<Buffer> {
  const bob = await stack.createMailbox()
  await stack.submit(sender, [bob.address], composeMail({ from: sender.address, to: bob.address, subject: 'keys' }))
  return (await stack.received(bob))[0]!
}

async function validSelectors(stack: Stack, mail: Buffer): Promise<string[]> {
  const checks = await checkSignatures(mail, stack.dns.address)
  assert.ok(
    checks.every(({ isValid }) => isValid),
    JSON.stringify(checks),
  )
  return checks.map(({ selector }) => selector).sort()
}

const selectorsOf = (list: Key[]) => list.map(({ selector }) => selector).sort()

test('S2-08 after a rotation mail is signed with the new keys, and mail of before still verifies', async () => {
  const stack = await sharedStack()
  const { path, sender } = await openDomain(stack)
  const publish = (list: Key[]) => {
    for (const { dnsName, dnsRecord } of list) stack.dns.set(dnsName, 'TXT', [dnsRecord])
  }
  const first = await keys(stack, path, 'active')
  publish(first)
  assert.equal((await stack.api('POST', path)).status, 201)
  const pending = await keys(stack, path, 'pending')
  const refused = await stack.api('POST', `${path}/${pending[0]!.selector}/activate`)
  assert.equal(refused.status, 409)
  const before = await signedMail(stack, sender)
  assert.deepEqual(await validSelectors(stack, before), selectorsOf(first))
  publish(pending)
  for (const { selector } of pending)
    assert.equal((await stack.api('POST', `${path}/${selector}/activate`)).status, 200)
  const after = await eventually(
    async () => {
      const mail = await signedMail(stack, sender)
      return !mail.includes(`s=${first[0]!.selector};`) && !mail.includes(`s=${first[1]!.selector};`) && mail
    },
    { withinMs: 60_000, what: 'the signer to take up the new keys' },
  )
  assert.deepEqual(await validSelectors(stack, after), selectorsOf(pending))
  assert.deepEqual(await validSelectors(stack, before), selectorsOf(first))
  assert.deepEqual(selectorsOf(await keys(stack, path, 'retiring')), selectorsOf(first))
})
