// Certificates over real TLS: kinds of keys, names, and what old clients get.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeTestCertificate, makeTestRsaCertificate } from '@sekimori/testing/test-certificate'
import { openCertificates } from './certificates.ts'
import { createLog } from './log.ts'
import { type CertificateDirectory, makeCertificateDirectory } from './testing/certificate-directory.ts'
import { dial, serve, shown } from './testing/certificate-server.ts'

let dir: CertificateDirectory
before(async () => {
  dir = await makeCertificateDirectory()
})
after(() => dir[Symbol.asyncDispose]())

const log = createLog('test', 'silent')

test('ECDSA and RSA stand side by side, and a client gets what it can verify', async () => {
  const settings = await dir.settingsFor({
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
  const settings = await dir.settingsFor({
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
  const settings = await dir.settingsFor({
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

test('TLS 1.0 and 1.1 are refused unless the operator allows them', async () => {
  const made = { old: await makeTestRsaCertificate('old.test') }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
  for (const legacy of ['deny', 'allow'] as const) {
    await using certificates = await openCertificates(await dir.settingsFor(made, legacy), log)
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
    const settings = await dir.settingsFor(made)
    await openCertificates({ ...settings, TLS_CERT_FILE: `${settings.TLS_CERT_FILE}${more}` }, log)
  }
  await assert.rejects(open({ mixed: { cert: one.cert, key: two.key } }), /mixed\.key does not belong to .*mixed\.pem/)
  await assert.rejects(open({ text: { cert: 'secret', key: 'secret' } }), (error: Error) => {
    assert.match(error.message, /text\.pem/)
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
  await assert.rejects(open({ one }, `, ${join(dir.path, 'one.pem')}`), /as many certificates as keys/)
  await assert.rejects(open({ one }, '.absent'), /ENOENT/)
})
