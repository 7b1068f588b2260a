// New certificates are shown within 10 s of their files' change, however these are replaced, and nothing that is half written
// is. The clock is the test's own, so that no machine is too slow for it; files and TLS are real.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { makeTestCertificate, makeTestChain, makeTestRsaCertificate } from '@sekimori/testing/test-certificate'
import { type Certificates, openCertificates } from './certificates.ts'
import { createLog, type Log } from './log.ts'
import {
  type CertificateDirectory,
  makeCertificateDirectory,
  type PemPair,
  settingsOf,
} from './testing/certificate-directory.ts'
import { dial, serve, shown } from './testing/certificate-server.ts'

const PROMISED_MS = 10_000
const STEP_MS = 100

let dir: CertificateDirectory
beforeEach(async () => {
  dir = await makeCertificateDirectory()
  mock.timers.enable({ apis: ['setTimeout'] })
})
afterEach(async () => {
  mock.timers.reset()
  await dir[Symbol.asyncDispose]()
})

const silent = createLog('test', 'silent')

/** Lets time pass, with all that is to be done in it. */
async function pass(certificates: Certificates, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
    mock.timers.tick(STEP_MS)
    await certificates.untilLooked()
  }
}

const inPlace = (pair: PemPair) => dir.writeInPlace('a', pair)

for (const [way, write] of Object.entries({
  'in place': inPlace,
  'by renaming others over them': (pair: PemPair) => dir.settingsFor({ a: pair }),
  'by the links of a mounted secret': (pair: PemPair) => dir.mountSecret({ a: pair }),
})) {
  test(`files replaced ${way} are shown within 10 s, and sessions under way go on`, async () => {
    await write(await makeTestCertificate('before.test'))
    await using certificates = await openCertificates(settingsOf(dir.path, ['a']), silent)
    await using server = await serve(certificates)
    let shownName = 'before.test'
    const sessions = [await dial(server.port)]
    // Whatever part of the pause between two looks has passed already.
    for (const headStartMs of [0, 300, 600, 900]) {
      await pass(certificates, headStartMs)
      assert.equal(await shown(server.port), `ec DNS:${shownName}`)
      shownName = `after-${headStartMs}.test`
      await write(await makeTestCertificate(shownName))
      await pass(certificates, PROMISED_MS - 2 * STEP_MS)
      assert.equal(await shown(server.port), `ec DNS:${shownName}`)
      sessions.push(await dial(server.port))
    }
    for (const session of sessions) {
      session.write('still here')
      assert.equal(String((await once(session, 'data'))[0]), 'still here')
      session.destroy()
    }
  })
}

test('a pair that is half written changes nothing, is in the log once, and is shown within 10 s when it is whole', async () => {
  const errors: string[] = []
  const noting = { info: () => {}, error: ({ err }: { err: Error }) => void errors.push(err.message) } as unknown as Log
  await inPlace(await makeTestCertificate('before.test'))
  await using certificates = await openCertificates(settingsOf(dir.path, ['a']), noting)
  await using server = await serve(certificates)
  const next = await makeTestChain('after.test')
  const halves: [string, () => Promise<void>][] = [
    ['the new certificate with the old key', () => writeFile(join(dir.path, 'a.pem'), next.cert)],
    ['nothing', () => writeFile(join(dir.path, 'a.pem'), '')],
    ['half a certificate', () => writeFile(join(dir.path, 'a.pem'), next.leaf.slice(0, 200))],
    ['half a chain', () => inPlace({ key: next.key, cert: next.cert.slice(0, -100) })],
    ['half a key', () => inPlace({ key: next.key.slice(0, 100), cert: next.cert })],
    ['no key', () => rm(join(dir.path, 'a.key'))],
  ]
  for (const [what, write] of halves) {
    errors.length = 0
    await write()
    await pass(certificates, 2 * PROMISED_MS)
    assert.equal(await shown(server.port), 'ec DNS:before.test', what)
    assert.equal(errors.length, 1, what)
    assert.match(errors[0]!, /a\.(pem|key)/)
    assert.doesNotMatch(errors[0]!, /BEGIN/)
  }
  await inPlace(next)
  await pass(certificates, PROMISED_MS - STEP_MS)
  assert.equal(await shown(server.port), 'ec DNS:after.test')
})

test('a chain that is written in pieces is never shown without its end', async () => {
  await inPlace(await makeTestCertificate('before.test'))
  await using certificates = await openCertificates(settingsOf(dir.path, ['a']), silent)
  await using server = await serve(certificates)
  const next = await makeTestChain('after.test')
  const trusting = { ca: next.ca, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  for (const pieceMs of [0, 300, 600, 900]) {
    await inPlace(await makeTestCertificate('before.test'))
    await pass(certificates, PROMISED_MS + pieceMs)
    await inPlace({ key: next.key, cert: next.leaf })
    for (let passedMs = 0; passedMs < 900; passedMs += STEP_MS) {
      await pass(certificates, STEP_MS)
      assert.equal(await shown(server.port), 'ec DNS:before.test')
    }
    await writeFile(join(dir.path, 'a.pem'), next.cert)
    await pass(certificates, PROMISED_MS - STEP_MS)
    assert.equal(await shown(server.port, trusting), 'ec DNS:after.test')
  }
})

test('files that can not be read for a while are read as soon as they can', {
  skip: process.getuid?.() !== 0 && false,
}, async () => {
  await inPlace(await makeTestCertificate('before.test'))
  await using certificates = await openCertificates(settingsOf(dir.path, ['a']), silent)
  await using server = await serve(certificates)
  const next = await makeTestCertificate('after.test')
  await rename(dir.path, `${dir.path}.away`)
  await pass(certificates, PROMISED_MS)
  assert.equal(await shown(server.port), 'ec DNS:before.test')
  await rename(`${dir.path}.away`, dir.path)
  await inPlace(next)
  await chmod(join(dir.path, 'a.key'), 0o400)
  await pass(certificates, PROMISED_MS - STEP_MS)
  assert.equal(await shown(server.port), 'ec DNS:after.test')
})

test('ECDSA, RSA and other names are all new after one swap of a mounted secret', async () => {
  const make = async (generation: string) => ({
    ec: await makeTestCertificate('mail.test', generation),
    rsa: await makeTestRsaCertificate('mail.test', generation),
    other: await makeTestCertificate('other.test', generation),
  })
  const settings = await dir.mountSecret(await make('one.test'))
  await using certificates = await openCertificates(settings, silent)
  await using server = await serve(certificates)
  const rsa = { sigalgs: 'rsa_pss_rsae_sha256' }
  const check = async (generation: string) => {
    for (const servername of ['mail.test', generation, 'nobody.test']) {
      assert.equal(await shown(server.port, { servername }), `ec DNS:mail.test, DNS:${generation}`)
      assert.equal(await shown(server.port, { servername, ...rsa }), `rsa DNS:mail.test, DNS:${generation}`)
    }
    assert.equal(await shown(server.port, { servername: 'other.test' }), `ec DNS:other.test, DNS:${generation}`)
  }
  await check('one.test')
  await dir.mountSecret(await make('two.test'))
  await pass(certificates, PROMISED_MS - STEP_MS)
  await check('two.test')
})
