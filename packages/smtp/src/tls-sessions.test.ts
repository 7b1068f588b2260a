// TLS of the listeners themselves, on a connection of its own and after STARTTLS: kinds of certificates, names, what old
// clients get, and what is no handshake at all.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { openCertificates } from '@sekimori/runtime/certificates'
import { createLog } from '@sekimori/runtime/log'
import { eventually } from '@sekimori/testing/eventually'
import { LineSocket } from '@sekimori/testing/line-socket'
import { makeTestCertificate, makeTestRsaCertificate } from '@sekimori/testing/test-certificate'
import { shout, testListener } from './testing/test-listener.ts'

const TIMEOUT_MS = 60_000
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
const CBC = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0' } as const

let dir: string
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tls-sessions-'))
  await writeCertificates()
})
after(() => rm(dir, { recursive: true }))

/** New ones with the same names; resolves to their fingerprints. */
async function writeCertificates(): Promise<Record<'ec' | 'rsa' | 'other', string>> {
  const made = {
    ec: await makeTestCertificate('mail.test'),
    rsa: await makeTestRsaCertificate('mail.test'),
    other: await makeTestCertificate('other.test'),
  }
  for (const [name, { cert, key }] of Object.entries(made)) {
    await writeFile(join(dir, `${name}.pem`), cert)
    await writeFile(join(dir, `${name}.key`), key)
  }
  const fingerprintOf = (name: keyof typeof made) => new X509Certificate(made[name].cert).fingerprint256
  return { ec: fingerprintOf('ec'), rsa: fingerprintOf('rsa'), other: fingerprintOf('other') }
}

/** A listener with all three certificates. */
async function listen(encryption: 'implicit' | 'starttls', legacy: 'deny' | 'allow' = 'deny', lookIntervalMs?: number) {
  const files = (ending: string) => ['ec', 'rsa', 'other'].map((name) => join(dir, `${name}.${ending}`)).join()
  const settings = { TLS_CERT_FILE: files('pem'), TLS_KEY_FILE: files('key'), TLS_LEGACY: legacy }
  const certificates = await openCertificates(settings, createLog('test', 'silent'), lookIntervalMs)
  const smtp = { secure: encryption === 'implicit', disabledCommands: [] }
  const listener = await testListener({ certificates, smtp })
  return {
    endpoint: listener.endpoint,
    dial: (options: ConnectionOptions) => dial(listener.endpoint.port, encryption, options),
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      await certificates[Symbol.asyncDispose]()
    },
  }
}

/** A session in TLS that has answered EHLO. */
async function dial(
  port: number,
  encryption: 'implicit' | 'starttls',
  options: ConnectionOptions,
): Promise<TLSSocket & AsyncDisposable> {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  if (encryption === 'starttls') {
    for (const line of ['', 'STARTTLS\r\n']) {
      if (line !== '') socket.write(line)
      await once(socket, 'data')
    }
  }
  const secure = connect({ socket, rejectUnauthorized: false, ...options })
  await once(secure, 'secureConnect')
  const lines = new LineSocket(secure, TIMEOUT_MS)
  if (encryption === 'implicit') assert.match(await lines.readLine(), /^220 /)
  await lines.write('EHLO client.test\r\n')
  let line = await lines.readLine()
  while (line.startsWith('250-')) line = await lines.readLine()
  assert.match(line, /^250 /)
  return secure
}

function shownBy(socket: TLSSocket): string {
  const certificate = socket.getPeerX509Certificate()!
  return `${certificate.publicKey.asymmetricKeyType} ${certificate.subjectAltName}`
}

for (const encryption of ['implicit', 'starttls'] as const) {
  test(`${encryption}: ECDSA and RSA side by side, and certificates by name`, async () => {
    await using listener = await listen(encryption)
    const rsa = { sigalgs: 'rsa_pss_rsae_sha256' }
    for (const [options, expected] of [
      [{}, 'ec DNS:mail.test'],
      [rsa, 'rsa DNS:mail.test'],
      [{ servername: 'mail.test' }, 'ec DNS:mail.test'],
      [{ servername: 'mail.test', sigalgs: 'ecdsa_secp256r1_sha256' }, 'ec DNS:mail.test'],
      [{ servername: 'mail.test', ...rsa }, 'rsa DNS:mail.test'],
      [{ servername: 'other.test' }, 'ec DNS:other.test'],
      [{ servername: 'nobody.test' }, 'ec DNS:mail.test'],
    ] as const) {
      const socket = await listener.dial(options)
      assert.equal(shownBy(socket), expected, JSON.stringify(options))
      socket.destroy()
    }
  })

  test(`${encryption}: certificates of both kinds and of other names change, and a session under way goes on`, async () => {
    await using listener = await listen(encryption, 'deny', 10)
    const session = await listener.dial({})
    const renewed = await writeCertificates()
    for (const [kind, options] of [
      ['ec', { servername: 'mail.test' }],
      ['rsa', { servername: 'mail.test', sigalgs: 'rsa_pss_rsae_sha256' }],
      ['rsa', { sigalgs: 'rsa_pss_rsae_sha256' }],
      ['other', { servername: 'other.test' }],
    ] as const)
      await eventually(async () => {
        const socket = await listener.dial(options)
        const { fingerprint256 } = socket.getPeerX509Certificate()!
        socket.destroy()
        return fingerprint256 === renewed[kind]
      })
    session.write('NOOP\r\n')
    assert.match(String((await once(session, 'data'))[0]), /^250 2\.0\.0/)
    session.destroy()
  })

  test(`${encryption}: TLS 1.0, 1.1 and CBC are for the legacy switch only, 1.2 and 1.3 for everybody`, async () => {
    for (const legacy of ['deny', 'allow'] as const) {
      await using listener = await listen(encryption, legacy)
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const socket = await listener.dial({ minVersion: version, maxVersion: version })
        assert.equal(socket.getProtocol(), version)
        socket.destroy()
      }
      for (const options of [OLD, { ...OLD, maxVersion: 'TLSv1' as const }, CBC]) {
        if (legacy === 'deny') await assert.rejects(listener.dial(options))
        else {
          const socket = await listener.dial(options)
          assert.equal(socket.getProtocol(), options.maxVersion)
          socket.destroy()
        }
      }
    }
  })
}

test('what is no TLS on the port of TLS is let go, and harms no other session', async () => {
  await using listener = await listen('implicit')
  const session = await listener.dial({})
  for (const octets of [
    'EHLO client.test\r\nMAIL FROM:<a@b.test>\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    '\x16\x03\x01\xff\xff',
    '\0'.repeat(70_000),
  ]) {
    const said = await shout(listener.endpoint, octets.startsWith('\x16') ? `${octets}${'x'.repeat(20_000)}` : octets)
    assert.doesNotMatch(said.join(), /^\d{3}[ -]/)
  }
  session.write('NOOP\r\n')
  assert.match(String((await once(session, 'data'))[0]), /^250 2\.0\.0/)
  session.destroy()
})
