// Port 25 by other people's clients, which hand mail over there as another server would: encrypted, without a login.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bodyOf, composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { PYTHON, runClient, runClientWell } from '@sekimori/testing/real-client'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'

const SENDER = 'someone@sender.example'
const BODY = 'こんにちは\r\n.dot\r\n..two dots\r\n\r\nthe end\r\n'

interface HandOver {
  port: number
  ca: string
  to: string
  mail: Buffer
  /** Writes a file that only the client's user may read. */
  write(name: string, lines: string[]): Promise<string>
}

const CLIENTS: Record<string, (hand: HandOver) => Promise<unknown>> = {
  swaks: ({ port, ca, to, mail }) =>
    runClientWell(
      'swaks',
      [
        ...['--server', '127.0.0.1', '--port', String(port), '--from', SENDER, '--to', to, '--tls', '--tls-verify'],
        ...['--tls-ca-path', ca, '--helo', 'client.sender.example', '--data', '-'],
      ],
      mail.subarray(0, -2), // it puts a line end of its own behind
    ),
  curl: ({ port, ca, to, mail }) =>
    runClientWell(
      'curl',
      [
        ...['--silent', '--show-error', '--ssl-reqd', '--cacert', ca, `smtp://127.0.0.1:${port}/client.sender.example`],
        ...['--mail-from', SENDER, '--mail-rcpt', to, '--upload-file', '-'],
      ],
      mail,
    ),
  smtplib: ({ port, ca, to, mail }) => {
    const script = join(import.meta.dirname, 'python', 'smtp_send.py')
    return runClientWell(PYTHON, [script, 'starttls', '127.0.0.1', String(port), ca, '', '', SENDER, to], mail)
  },
  msmtp: async ({ port, ca, to, mail, write }) => {
    const rc = await write('msmtprc', [
      ...['account default', 'host 127.0.0.1', `port ${port}`, `from ${SENDER}`, 'auth off'],
      ...['tls on', 'tls_starttls on', `tls_trust_file ${ca}`],
    ])
    await runClientWell('msmtp', [`--file=${rc}`, to], mail)
  },
  mutt: async ({ port, ca, to, write }) => {
    const rc = await write('muttrc', [
      `set from="${SENDER}" use_envelope_from=yes copy=no send_charset="utf-8" charset="utf-8" allow_8bit=yes`,
      `set smtp_url="smtp://localhost:${port}/" ssl_force_tls=yes ssl_starttls=yes`,
      `set ssl_ca_certificates_file="${ca}" certificate_file="${ca}" ssl_usesystemcerts=no`,
    ])
    await runClientWell('mutt', ['-n', '-F', rc, '-s', 'x', '--', to], BODY.replaceAll('\r\n', '\n'))
  },
}

async function handOver(stack: Stack, use: (hand: HandOver) => Promise<unknown>): Promise<Buffer> {
  const bob = await stack.createMailbox()
  const dir = await mkdtemp(join(tmpdir(), 'client-'))
  const write = async (name: string, lines: string[]) => {
    await writeFile(join(dir, name), `${lines.join('\n')}\n`)
    await chmod(join(dir, name), 0o600)
    return join(dir, name)
  }
  try {
    const mail = composeMail({ from: SENDER, to: bob.address, body: BODY })
    await use({ port: stack.endpoints.mx.port, ca: stack.endpoints.caCertificate, to: bob.address, mail, write })
    const [received] = await stack.received(bob)
    return received!
  } finally {
    await rm(dir, { recursive: true })
  }
}

for (const [name, use] of Object.entries(CLIENTS))
  test(`S1-07 ${name} hands a mail over on 25, over TLS`, async () => {
    const received = await handOver(await sharedStack(), use)
    assert.equal(bodyOf(received).toString(), BODY)
    assert.equal(fieldOf(received, 'Return-Path'), `<${SENDER}>`)
    assert.match(fieldOf(received, 'Received'), /with ESMTPS id \w+\s+\(TLSv1\.\d\)[\s\S]*tls TLS_/)
  })

test('S1-07 swaks finds no AUTH on 25', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const args = ['--server', '127.0.0.1', '--port', String(stack.endpoints.mx.port), '--tls', '--auth']
  const login = ['--auth-user', alice.address, '--auth-password', alice.password]
  const run = await runClient('swaks', [...args, ...login, '--from', alice.address, '--to', bob.address])
  assert.equal(run.code, 28, run.transcript)
  assert.deepEqual(await stack.messages(bob), [])
})
