import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { ensureCertificates, type TlsFiles } from './certificates.ts'

const NAMES = ['localhost', '127.0.0.1', '::1', 'mail.example.test']
const DAY_MS = 24 * 60 * 60 * 1000

function tlsDirectory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'tls-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

function read(files: TlsFiles): { ca: string; server: X509Certificate } {
  return {
    ca: readFileSync(files.caCertificate, 'utf8'),
    server: new X509Certificate(readFileSync(files.certificate)),
  }
}

test('a client that trusts the CA accepts the server under each of its names', async () => {
  using directory = tlsDirectory()
  const files = await ensureCertificates(directory.path, NAMES)
  const server = createServer({ cert: readFileSync(files.certificate), key: readFileSync(files.key) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const servername of ['localhost', 'mail.example.test']) {
    const socket = connect({ port, host: '127.0.0.1', servername, ca: readFileSync(files.caCertificate) })
    await once(socket, 'secureConnect')
    socket.destroy()
  }
  server.close()
  for (const address of ['127.0.0.1', '::1']) assert.ok(read(files).server.checkIP(address))
  assert.equal(statSync(files.key).mode & 0o777, 0o600)
  assert.equal(statSync(join(directory.path, 'ca-key.pem')).mode & 0o777, 0o600)
})

test('certificates stay as they are from start to start', async () => {
  using directory = tlsDirectory()
  const first = read(await ensureCertificates(directory.path, NAMES))
  const second = read(await ensureCertificates(directory.path, NAMES))
  assert.equal(second.server.serialNumber, first.server.serialNumber)
})

test('another host name gets a new certificate from the same CA', async () => {
  using directory = tlsDirectory()
  const first = read(await ensureCertificates(directory.path, NAMES))
  const second = read(await ensureCertificates(directory.path, [...NAMES, 'mx.example.test']))
  assert.equal(second.ca, first.ca)
  assert.ok(second.server.checkHost('mx.example.test'))
})

test('a certificate is renewed from 30 days before its end on', async () => {
  using directory = tlsDirectory()
  const first = read(await ensureCertificates(directory.path, NAMES))
  const end = first.server.validToDate.getTime()
  const early = read(await ensureCertificates(directory.path, NAMES, new Date(end - 31 * DAY_MS)))
  assert.equal(early.server.serialNumber, first.server.serialNumber)
  const late = read(await ensureCertificates(directory.path, NAMES, new Date(end - 29 * DAY_MS)))
  assert.notEqual(late.server.serialNumber, first.server.serialNumber)
  assert.equal(late.ca, first.ca)
})

test('a key that does not belong to its certificate is made anew', async () => {
  using directory = tlsDirectory()
  using other = tlsDirectory()
  const files = await ensureCertificates(directory.path, NAMES)
  writeFileSync(files.key, readFileSync((await ensureCertificates(other.path, NAMES)).key))
  const { server } = read(await ensureCertificates(directory.path, NAMES))
  assert.ok(server.verify(new X509Certificate(readFileSync(files.caCertificate)).publicKey))
  createServer({ cert: readFileSync(files.certificate), key: readFileSync(files.key) })
})
