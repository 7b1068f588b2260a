// Certificates over real TLS: kinds of keys, names, new files, and what old clients get.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type ConnectionOptions, connect, TLSSocket } from 'node:tls'
import { eventually } from '@sekimori/testing/eventually'
import { makeTestCertificate, makeTestRsaCertificate } from '@sekimori/testing/test-certificate'
import { type Certificates, openCertificates } from './certificates.ts'
import { createLog } from './log.ts'

let dir: string
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'certificates-'))
})
after(() => rm(dir, { recursive: true }))

const log = createLog('test', 'silent')

/** Nobody ever reads half of it. */
async function replaceFile(name: string, text: string): Promise<void> {
  await writeFile(join(dir, `${name}.new`), text)
  await rename(join(dir, `${name}.new`), join(dir, name))
}

/** Writes certificates and makes settings that name them. */
async function settingsFor(made: Record<string, { cert: string; key: string }>, legacy: 'allow' | 'deny' = 'deny') {
  for (const [name, { cert, key }] of Object.entries(made)) {
    await replaceFile(`${name}.pem`, cert)
    await replaceFile(`${name}.key`, key)
  }
  const list = (ending: string) =>
    Object.keys(made)
      .map((name) => join(dir, `${name}.${ending}`))
      .join(', ')
  return { TLS_CERT_FILE: list('pem'), TLS_KEY_FILE: list('key'), TLS_LEGACY: legacy }
}

/** A server that echoes, with these certificates. */
async function serve({ contextFor }: Certificates): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<TLSSocket>()
  const server: Server = createServer((socket) => {
    const secure: TLSSocket = new TLSSocket(socket, {
      isServer: true,
      secureContext: contextFor(),
      SNICallback: (name, callback) => callback(null, contextFor(name, secure)),
    })
    sockets.add(secure)
    secure.on('error', () => secure.destroy())
    secure.pipe(secure)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** The names of the certificate that a client is shown, and the kind of its key. */
async function shown(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = await dial(port, options)
  const certificate = socket.getPeerX509Certificate()!
  socket.destroy()
  return `${certificate.publicKey.asymmetricKeyType} ${certificate.subjectAltName}`
}

test('ECDSA and RSA stand side by side, and a client gets what it can verify', async () => {
  const settings = await settingsFor({
    ec: await makeTestCertificate('a.test'),
    rsa: await makeTestRsaCertificate('a.test'),
  })
  await using certificates = await openCertificates(settings, log)
  await using server = await serve(certificates)
  assert.equal(await shown(server.port), 'ec DNS:a.test')
  assert.equal(await shown(server.port, { sigalgs: 'rsa_pss_rsae_sha256' }), 'rsa DNS:a.test')
  const ciphers = (kind: string) => ({ maxVersion: 'TLSv1.2' as const, ciphers: `ECDHE-${kind}-AES128-GCM-SHA256` })
  for (const name of [{}, { servername: 'a.test' }, { servername: 'nobody.test' }]) {
    assert.equal(await shown(server.port, { ...name }), 'ec DNS:a.test')
    assert.equal(await shown(server.port, { ...name, sigalgs: 'ecdsa_secp256r1_sha256' }), 'ec DNS:a.test')
    assert.equal(await shown(server.port, { ...name, sigalgs: 'rsa_pss_rsae_sha256' }), 'rsa DNS:a.test')
    assert.equal(await shown(server.port, { ...name, ...ciphers('RSA') }), 'rsa DNS:a.test')
    assert.equal(await shown(server.port, { ...name, ...ciphers('ECDSA') }), 'ec DNS:a.test')
  }
})

test('a further name has both kinds of keys, too', async () => {
  const settings = await settingsFor({
    main: await makeTestCertificate('a.test'),
    mainRsa: await makeTestRsaCertificate('a.test'),
    furtherRsa: await makeTestRsaCertificate('b.test'),
    further: await makeTestCertificate('b.test'),
  })
  await using certificates = await openCertificates(settings, log)
  await using server = await serve(certificates)
  const servername = 'b.test'
  assert.equal(await shown(server.port, { servername }), 'ec DNS:b.test')
  assert.equal(await shown(server.port, { servername, sigalgs: 'rsa_pss_rsae_sha256' }), 'rsa DNS:b.test')
  // What an older client takes shows in its cipher suites only: it gets what all of them take.
  assert.equal(await shown(server.port, { servername, maxVersion: 'TLSv1.2' }), 'rsa DNS:b.test')
  const ecdsaOnly = { maxVersion: 'TLSv1.2', sigalgs: 'ecdsa_secp256r1_sha256' } as const
  assert.equal(await shown(server.port, { servername, ...ecdsaOnly }), 'ec DNS:b.test')
})

test('SNI chooses by name, wildcards included; without a fitting name the first certificate is shown', async () => {
  const settings = await settingsFor({
    first: await makeTestCertificate('mail.a.test', 'a.test'),
    second: await makeTestCertificate('*.b.test'),
    third: await makeTestRsaCertificate('mail.b.test'),
  })
  await using certificates = await openCertificates(settings, log)
  await using server = await serve(certificates)
  for (const servername of ['a.test', 'nobody.test', undefined])
    assert.equal(
      await shown(server.port, servername === undefined ? {} : { servername }),
      'ec DNS:mail.a.test, DNS:a.test',
    )
  assert.equal(await shown(server.port, { servername: 'POP.b.test' }), 'ec DNS:*.b.test')
  assert.equal(
    await shown(server.port, { servername: 'mail.b.test', sigalgs: 'rsa_pss_rsae_sha256' }),
    'rsa DNS:mail.b.test',
  )
})

test('new files are taken up, and sessions under way go on', async () => {
  const settings = await settingsFor({ renewed: await makeTestCertificate('before.test') })
  await using certificates = await openCertificates(settings, log, 10)
  let changes = 0
  certificates.onChange(() => changes++)
  await using server = await serve(certificates)
  const session = await dial(server.port)
  await settingsFor({ renewed: await makeTestCertificate('after.test') })
  await eventually(async () => (await shown(server.port)) === 'ec DNS:after.test')
  assert.ok(changes > 0)
  session.write('still here')
  assert.equal(String((await once(session, 'data'))[0]), 'still here')
  session.destroy()
})

test('files that can not be used are named in the log once, and those from before stay', async () => {
  const settings = await settingsFor({ broken: await makeTestCertificate('good.test') })
  const errors: string[] = []
  const noting = { ...log, info: () => {}, error: ({ err }: { err: Error }) => void errors.push(err.message) }
  await using certificates = await openCertificates(settings, noting as unknown as typeof log, 10)
  await using server = await serve(certificates)
  await replaceFile('broken.pem', (await makeTestCertificate('other.test')).cert)
  await eventually(() => errors.length > 0)
  assert.equal(await shown(server.port), 'ec DNS:good.test')
  await settingsFor({ broken: await makeTestCertificate('mended.test') })
  await eventually(async () => (await shown(server.port)) === 'ec DNS:mended.test')
  const path = join(dir, 'broken.key')
  assert.ok(errors.length <= 3 && errors[0]!.includes(path), errors.join())
})

test('TLS 1.0 and 1.1 are refused unless the operator allows them', async () => {
  const made = { old: await makeTestRsaCertificate('old.test') }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
  for (const legacy of ['deny', 'allow'] as const) {
    await using certificates = await openCertificates(await settingsFor(made, legacy), log)
    await using server = await serve(certificates)
    if (legacy === 'deny') await assert.rejects(dial(server.port, old))
    else assert.equal(await shown(server.port, old), 'rsa DNS:old.test')
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal(await shown(server.port, { minVersion: version, maxVersion: version }), 'rsa DNS:old.test')
    const cbc = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA256' } as const
    if (legacy === 'deny') await assert.rejects(dial(server.port, cbc))
  }
})

test('at the start, files that can not be used are named', async () => {
  const [one, two] = [await makeTestCertificate('one.test'), await makeTestCertificate('two.test')]
  const open = async (made: Record<string, { cert: string; key: string }>, more = '') => {
    const settings = await settingsFor(made)
    await openCertificates({ ...settings, TLS_CERT_FILE: `${settings.TLS_CERT_FILE}${more}` }, log)
  }
  await assert.rejects(open({ mixed: { cert: one.cert, key: two.key } }), /mixed\.key does not belong to .*mixed\.pem/)
  await assert.rejects(open({ text: { cert: 'secret', key: 'secret' } }), (error: Error) => {
    assert.match(error.message, /text\.pem/)
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
  await assert.rejects(open({ one }, `, ${join(dir, 'one.pem')}`), /as many certificates as keys/)
  await assert.rejects(open({ one }, '.absent'), /ENOENT/)
})
