// TLS on every port: which versions are spoken, and that a new certificate is taken up without dropping a session.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { attentiveNow } from '@sekimori/testing/attentive-clock'
import { eventually } from '@sekimori/testing/eventually'
import { dialPop3 } from '@sekimori/testing/pop3-dialer'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import type { Stack } from '@sekimori/testing/stack'
import { startClientTls, type TlsListener, tlsListeners } from '@sekimori/testing/tls-probe'
import { issueCertificate } from '../deploy/local/src/certificate-authority.ts'

/** The units tests have the clock in their own hands; here the system has its pauses, and the machine its load. */
const RELOAD_MS = 10_000

async function serialShown(stack: Stack, listener: TlsListener): Promise<string> {
  const socket = await startClientTls(stack.endpoints, listener, { ca: stack.ca, servername: 'localhost' })
  const { serialNumber } = socket.getPeerX509Certificate()!
  socket.destroy()
  return serialNumber.toLowerCase()
}

test('S1-01 S2-16 every port speaks TLS 1.2 and 1.3 with forward secrecy, and nothing older', async () => {
  const stack = await sharedStack()
  const dial = async (listener: TlsListener, options: ConnectionOptions): Promise<TLSSocket> =>
    startClientTls(stack.endpoints, listener, { ca: stack.ca, servername: 'localhost', ...options })
  for (const listener of tlsListeners) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await dial(listener, { minVersion: version, maxVersion: version })
      assert.equal(socket.getProtocol(), version, listener)
      assert.match(socket.getCipher().standardName, /(GCM|POLY1305)_SHA\d+$/, listener)
      socket.destroy()
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
    await assert.rejects(dial(listener, old), listener)
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' } as const
    await assert.rejects(dial(listener, weak), listener)
  }
})

test('a new certificate is shown on every port within 10 s, and sessions under way go on', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await using sessions = new AsyncDisposableStack()
  const smtp = [
    sessions.use(await stack.dialSubmission(alice)),
    sessions.use(await stack.dialSmtps(alice)),
    sessions.use(await dialSmtp(stack.endpoints.mx, { ca: stack.ca })),
  ]
  await smtp[2]!.say('EHLO relay.sender.example', 250)
  await smtp[2]!.starttls()
  const pop3s = sessions.use(await dialPop3(stack.endpoints.pop3s, { tls: 'implicit', ca: stack.ca }))
  const pop3 = sessions.use(await dialPop3(stack.endpoints.pop3, { ca: stack.ca }))
  await pop3.stls()
  await pop3s.login(alice.address, alice.password)

  const serial = await renewCertificate(join(stack.launcher.stateDir, 'tls'))
  const start = attentiveNow()
  for (const listener of tlsListeners)
    await eventually(async () => (await serialShown(stack, listener)) === serial, { what: `${listener} to show it` })
  assert.ok(attentiveNow() - start < RELOAD_MS)
  for (const session of smtp) assert.match((await session.say('EHLO client.example', 250)).text, /SIZE/)
  await pop3s.say('NOOP')
  await pop3.login(bob.address, bob.password)
})

/** Puts another certificate of the same authority into the directory; resolves to its serial number. */
async function renewCertificate(dir: string): Promise<string> {
  const read = (name: string) => readFile(join(dir, name), 'utf8')
  const authority = { certificate: await read('ca.pem'), key: await read('ca-key.pem') }
  const before = new X509Certificate(await read('server.pem'))
  const { certificate, key } = await issueCertificate(
    authority,
    ['localhost', '127.0.0.1', 'mail.example.test'],
    new Date(),
  )
  for (const [name, text] of [
    ['server-key.pem', key],
    ['server.pem', certificate + authority.certificate],
  ] as const) {
    await writeFile(join(dir, `${name}.new`), text, { mode: 0o600 })
    await rename(join(dir, `${name}.new`), join(dir, name))
  }
  const { serialNumber } = new X509Certificate(certificate)
  assert.notEqual(serialNumber, before.serialNumber)
  return serialNumber.toLowerCase()
}
