// Encryption towards other servers as their own policies demand it: MTA-STS (RFC 8461) and DANE (RFC 7672).
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { startRemoteServer } from '@sekimori/testing/remote-server'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import pg from 'pg'

async function send(stack: Stack, to: string): Promise<string> {
  const alice = await stack.createMailbox()
  return stack.submit(alice, [to], composeMail({ from: alice.address, to }))
}

async function lastReply(stack: Stack, queueId: string): Promise<string> {
  const { body } = await stack.api('GET', `/v1/deferred-mail?queueId=${queueId}`)
  return String(body.items[0]?.lastReply)
}

test('S1-12 S2-17 MTA-STS: mail goes only to a host that the policy names and whose certificate fits', async () => {
  const stack = await sharedStack()
  const { domain, certificate } = stack.policyHost
  stack.policyHost.policy = `version: STSv1\nmode: enforce\nmx: mx.${domain}\nmax_age: 86400\n`
  await using stranger = await startRemoteServer({
    host: '127.0.0.91',
    port: stack.remote.port,
    certificate: await makeTestCertificate(`mx.${domain}`),
  })
  await using genuine = await startRemoteServer({ host: '127.0.0.92', port: stack.remote.port, certificate })
  const never = { ttlSeconds: 0 }
  stack.dns.set(`mta-sts.${domain}`, 'A', ['127.0.0.1'])
  stack.dns.set(`_mta-sts.${domain}`, 'TXT', ['v=STSv1; id=1;'])
  stack.dns.set(domain, 'MX', [{ exchange: `mx.${domain}`, priority: 10 }], never)
  stack.dns.set(`mx.${domain}`, 'A', [stranger.host], never)
  const queueId = await send(stack, `friend@${domain}`)
  await eventually(async () => /4\.7\.5 .*did not prove/.test(await lastReply(stack, queueId)))
  assert.equal(stack.policyHost.asked, 1)
  stack.dns.set(`mx.${domain}`, 'A', [genuine.host], never)
  const [end] = await stack.ended(queueId)
  assert.equal(end!.outcome, 'sent')
  assert.match(end!.detail!, /TLSv1\.3 TLS_\w+, CN=test verified by MTA-STS/)
  assert.deepEqual([stranger.mails.length, genuine.mails[0]!.tls], [0, true])
})

test('S1-12 S2-17 DANE: mail goes only to a server with the key that DNSSEC names, and the sessions are counted', async () => {
  const stack = await sharedStack()
  const domain = stack.createRemoteDomain()
  const certificate = await makeTestCertificate(`mx.${domain}`)
  await using stranger = await startRemoteServer({
    host: '127.0.0.93',
    port: stack.remote.port,
    certificate: await makeTestCertificate(`mx.${domain}`),
  })
  await using genuine = await startRemoteServer({ host: '127.0.0.94', port: stack.remote.port, certificate })
  const key = new X509Certificate(certificate.cert).publicKey.export({ type: 'spki', format: 'der' })
  const data = createHash('sha256').update(key).digest()
  const tlsa = `_${stack.remote.port}._tcp.mx.${domain}`
  stack.dns.set(tlsa, 'TLSA', [{ usage: 3, selector: 1, matchingType: 1, data }])
  stack.dns.set(`mx.${domain}`, 'A', [stranger.host], { ttlSeconds: 0 })
  for (const name of [domain, `mx.${domain}`, tlsa]) stack.dns.validate(name)
  const queueId = await send(stack, `friend@${domain}`)
  await eventually(async () => /4\.7\.5 .*TLSA/.test(await lastReply(stack, queueId)))
  stack.dns.set(`mx.${domain}`, 'A', [genuine.host], { ttlSeconds: 0 })
  const [end] = await stack.ended(queueId)
  assert.match(end!.detail!, /verified by DANE/)
  assert.deepEqual([stranger.mails.length, genuine.mails.length], [0, 1])
  const client = new pg.Client(stack.endpoints.databaseUrl)
  await client.connect()
  try {
    const counted = await eventually(async () => {
      const text = 'select policy_type, result, mx_address, sessions::int from tls_result where policy_domain = $1'
      const { rows } = await client.query(`${text} order by result`, [domain])
      return rows.length >= 2 && rows
    })
    assert.deepEqual(counted[0], { policy_type: 'tlsa', result: 'successful', mx_address: genuine.host, sessions: 1 })
    assert.equal(counted[1].result, 'validation-failure')
  } finally {
    await client.end()
  }
})
