// new-site.ts, the one step before `kubectl apply -k`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { KubernetesObject } from './kubernetes-object.ts'
import { newSite } from './site.ts'

const HOST = 'mail.example.test'

interface Secret extends KubernetesObject {
  stringData?: Record<string, string>
}

/** Every secret value by its key, without the certificate. */
async function secretsOf(cert: string, key: string): Promise<Map<string, string>> {
  const objects = (await newSite(HOST, cert, key)) as Secret[]
  const opaque = objects.filter(({ kind, metadata }) => kind === 'Secret' && metadata.name !== 'sekimori-tls')
  return new Map(opaque.flatMap(({ stringData }) => Object.entries(stringData ?? {})))
}

test('each run makes new passwords and keys, and servers and services are told the same ones', async () => {
  const { cert, key } = await makeTestCertificate(HOST)
  const [first, second] = await Promise.all([secretsOf(cert, key), secretsOf(cert, key)])
  assert.equal(first.size, 9)
  for (const [name, value] of first) assert.notEqual(value, second.get(name), name)
  const database = new URL(first.get('database-url')!)
  assert.equal(database.password, first.get('postgres-password'))
  assert.notEqual(database.password, first.get('postgres-superuser-password'))
  const broker = new URL(first.get('broker-url')!)
  assert.ok(first.get('rabbitmq-credentials.conf')!.includes(`default_pass = ${broker.password}\n`))
  for (const { password } of [database, broker]) assert.ok(password.length >= 32)
})

test('a certificate for another host, another key and missing arguments are refused', async () => {
  const [own, other] = await Promise.all([makeTestCertificate(HOST), makeTestCertificate('other.example.test')])
  await assert.rejects(newSite(HOST, other.cert, other.key), /the certificate is not for mail\.example\.test/)
  await assert.rejects(newSite(HOST, own.cert, other.key), /the key does not belong to the certificate/)
  await assert.rejects(newSite('', own.cert, own.key), /usage: node new-site\.ts/)
})
