// msmtp and mutt: how people's scripts and people at terminals send, over 587 and 465.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClientDirectory, makeClientDirectory } from '@sekimori/testing/client-directory'
import { bodyOf, composeMail, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { runClient, runClientWell } from '@sekimori/testing/real-client'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

const BODY = 'こんにちは\r\n.dot\r\n..two dots\r\n\r\nthe end\r\n'

interface Client {
  stack: Stack
  alice: Mailbox
  bob: Mailbox
  directory: ClientDirectory
}

async function asClient(use: (client: Client) => Promise<void>): Promise<void> {
  const stack = await sharedStack()
  await using directory = await makeClientDirectory(stack.endpoints.caCertificate)
  await use({ stack, directory, alice: await stack.createMailbox(), bob: await stack.createMailbox() })
}

for (const [listener, starttls] of [
  ['submission', 'on'],
  ['smtps', 'off'],
] as const) {
  test(`S1-01 S1-10 msmtp sends over ${listener}, and hears of a wrong password`, async () => {
    await asClient(async ({ stack, directory: { ca, write }, alice, bob }) => {
      const settings = (password: string) => [
        ...['account default', 'host 127.0.0.1', `port ${stack.endpoints[listener].port}`, `from ${alice.address}`],
        ...['auth plain', `user ${alice.address}`, `password ${password}`],
        ...['tls on', `tls_starttls ${starttls}`, `tls_trust_file ${ca}`],
      ]
      const mail = composeMail({ from: alice.address, to: bob.address, body: BODY })
      const wrong = await write('wrong', settings('wrong'))
      const refused = await runClient('msmtp', [`--file=${wrong}`, bob.address], mail)
      assert.notEqual(refused.code, 0)
      assert.match(refused.transcript, /535 5\.7\.8/)
      const rc = await write('msmtprc', settings(alice.password))
      await runClientWell('msmtp', [`--file=${rc}`, bob.address], mail)
      const [received] = await stack.received(bob)
      assert.equal(bodyOf(received!).toString(), BODY)
    })
  })

  test(`S1-01 S1-10 mutt sends over ${listener}`, async () => {
    await asClient(async ({ stack, directory: { ca, write }, alice, bob }) => {
      const scheme = listener === 'smtps' ? 'smtps' : 'smtp'
      const rc = await write('muttrc', [
        `set from="${alice.address}" realname="山田 太郎" use_envelope_from=yes copy=no send_charset="utf-8" charset="utf-8"`,
        `set smtp_url="${scheme}://${encodeURIComponent(alice.address)}@localhost:${stack.endpoints[listener].port}/"`,
        `set smtp_pass="${alice.password}" ssl_force_tls=yes ssl_starttls=yes certificate_file="${ca}"`,
        `set ssl_ca_certificates_file="${ca}" ssl_usesystemcerts=no`,
      ])
      const attachment = await write('資料.txt', ['attached'])
      const args = ['-n', '-F', rc, '-s', '請求書', '-a', attachment, '--', bob.address]
      await runClientWell('mutt', args, 'こんにちは\n.\n..\nthe end\n')
      const [received] = await stack.received(bob)
      assert.equal(subjectOf(received!), '請求書')
      assert.match(fieldOf(received!, 'From'), new RegExp(`^=\\?utf-8\\?.* <${alice.address}>$`, 'i'))
      assert.match(bodyOf(received!).toString(), /filename\*=utf-8''%E8%B3%87/i)
    })
  })
}
