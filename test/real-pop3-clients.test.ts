// POP3 by mail clients that are not ours: mpop, fetchmail and getmail6, against 110 with STLS and 995.
import assert from 'node:assert/strict'
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { composeMail } from '@sekimori/testing/mail-text'
import { runClientWell } from '@sekimori/testing/real-client'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

const BODY = Buffer.from('こんにちは、世界。\r\n.dot\r\n..two dots\r\n\r\nthe end\r\n')
/** Who has nothing: getmail refuses to run as root. */
const _NOBODY = 65_534

interface Fetching {
  stack: Stack
  mailbox: Mailbox
  /** The client's own directory, with the CA's certificate in `ca.pem`. */
  dir: string
  write(name: string, lines: string[]): Promise<string>
}

/** Two mails wait; the client fetches both, whole, and the maildrop is empty after that. */
async function checkFetching(fetch: (fetching: Fetching) => Promise<Buffer[]>): Promise<void> {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  for (const subject of ['one', 'two'])
    await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address, subject, body: BODY }))
  const expected = await stack.received(bob, 2)
  const dir = await mkdtemp(join(tmpdir(), 'client-'))
  try {
    await copyFile(stack.endpoints.caCertificate, join(dir, 'ca.pem'))
    await chmod(join(dir, 'ca.pem'), 0o644)
    const write = async (name: string, lines: string[]) => {
      await writeFile(join(dir, name), `${lines.join('\n')}\n`, { mode: 0o600 })
      return join(dir, name)
    }
    const fetched = await fetch({ stack, mailbox: bob, dir, write })
    assert.deepEqual(fetched.map(plain).sort(), expected.map(plain).sort())
    assert.deepEqual(await stack.messages(bob), [])
  } finally {
    await rm(dir, { recursive: true })
  }
}

/** As text with line ends as on Unix, which is how clients store mail. */
function plain(mail: Buffer): string {
  return mail.toString().replaceAll('\r\n', '\n')
}

/** What a program that gets each mail on its standard input has written, mail by mail. */
async function piped(path: string): Promise<Buffer[]> {
  return (await readFile(path, 'utf8'))
    .split('--end of mail--\n')
    .slice(0, -1)
    .map((mail) => Buffer.from(mail))
}

const pipeTo = (path: string) => `sh -c "cat >> ${path}; echo --end of mail-- >> ${path}"`

for (const [listener, starttls] of [
  ['pop3', 'on'],
  ['pop3s', 'off'],
] as const) {
  test(`S1-01 S1-09 S2-19 mpop reads over ${listener}`, async () => {
    await checkFetching(async ({ stack, mailbox, dir, write }) => {
      const rc = await write('mpoprc', [
        ...['account default', 'host 127.0.0.1', `port ${stack.endpoints[listener].port}`],
        ...[`user ${mailbox.address}`, `password ${mailbox.password}`, 'auth plain'],
        ...['tls on', `tls_starttls ${starttls}`, `tls_trust_file ${dir}/ca.pem`, 'received_header off'],
        ...[`uidls_file ${dir}/uidls`, 'keep off', `delivery mda ${pipeTo(`${dir}/mails`)}`],
      ])
      await runClientWell('mpop', ['--quiet', `--file=${rc}`])
      return piped(join(dir, 'mails'))
    })
  })

  test(`S1-01 S1-09 S2-19 fetchmail reads over ${listener}`, async () => {
    await checkFetching(async ({ stack, mailbox, dir, write }) => {
      const rc = await write('fetchmailrc', [
        `set invisible`,
        `poll localhost protocol pop3 port ${stack.endpoints[listener].port} auth password`,
        `  user "${mailbox.address}" password "${mailbox.password}" ${listener === 'pop3s' ? 'ssl' : 'sslproto tls1.2+'}`,
        `  sslcertck sslcertfile "${dir}/ca.pem" fetchall no keep no rewrite mda '${pipeTo(`${dir}/mails`)}'`,
      ])
      const args = ['--fetchmailrc', rc, '--nodetach', '--nosyslog', '--silent', '--pidfile', `${dir}/pid`]
      await runClientWell('fetchmail', [...args, '--idfile', `${dir}/ids`])
      return piped(join(dir, 'mails'))
    })
  })
}
