// What a server must show before it gets a mail: MTA-STS, REQUIRETLS, the operator's word; and what is recorded of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dane,
  expired,
  floor,
  play,
  renamed,
  type Scene,
  spki,
  strange,
  sts,
  trusted,
} from './testing/encryption-scene.ts'

const scenes: [string, Scene, string, string][] = [
  ['nobody asks: no TLS', {}, 'sent in the clear', 'no-policy-found starttls-not-supported'],
  ['nobody asks: any certificate', { certificate: strange }, 'sent by TLS', 'no-policy-found successful'],
  ['enforced, proved', { certificate: trusted, tls: sts('enforce') }, 'sent by TLS', 'sts successful'],
  ['enforced, no TLS', { tls: sts('enforce') }, 'deferred 4.7.10', 'sts starttls-not-supported'],
  [
    'enforced, stranger',
    { certificate: strange, tls: sts('enforce') },
    'deferred 4.7.5',
    'sts certificate-not-trusted',
  ],
  ['enforced, expired', { certificate: expired, tls: sts('enforce') }, 'deferred 4.7.5', 'sts certificate-expired'],
  [
    'enforced, misnamed',
    { certificate: trusted, tls: sts('enforce', 'mx.remote.test'), arrange: renamed },
    'deferred 4.7.5',
    'sts certificate-host-mismatch',
  ],
  [
    'enforced, host not in it',
    { certificate: trusted, tls: sts('enforce', 'mx.a.test') },
    'deferred 4.7.5',
    'sts validation-failure',
  ],
  ['testing, stranger', { certificate: strange, tls: sts('testing') }, 'sent by TLS', 'sts certificate-not-trusted'],
  ['testing, no TLS', { tls: sts('testing') }, 'sent in the clear', 'sts starttls-not-supported'],
  [
    'testing, host not in it',
    { certificate: trusted, tls: sts('testing', 'mx.a.test') },
    'sent by TLS',
    'sts validation-failure',
  ],
  [
    'operator: encrypted',
    { certificate: strange, tls: floor('encrypted') },
    'sent by TLS',
    'no-policy-found successful',
  ],
  [
    'operator: encrypted, no TLS',
    { tls: floor('encrypted') },
    'deferred 4.7.10',
    'no-policy-found starttls-not-supported',
  ],
  ['operator: verified', { certificate: trusted, tls: floor('verified') }, 'sent by TLS', 'no-policy-found successful'],
  [
    'operator: verified, stranger',
    { certificate: strange, tls: floor('verified') },
    'deferred 4.7.5',
    'no-policy-found certificate-not-trusted',
  ],
  [
    'TLS-Required: No',
    { tls: sts('enforce'), text: 'TLS-Required: No\r\nSubject: x\r\n\r\nbody\r\n' },
    'sent in the clear',
    'sts starttls-not-supported',
  ],
]
for (const [name, scene, told, result] of scenes)
  test(`encryption: ${name}: ${told}`, async () => {
    const { told: actual, results, server } = await play(scene)
    assert.deepEqual([actual, results], [told, [result]])
    assert.equal(server.mails.length, told.startsWith('sent') ? 1 : 0)
  })

const requireTls = { requireTls: true }
const offering = ['REQUIRETLS']
const required: [string, Scene, string][] = [
  ['MTA-STS enforced, offered', { certificate: trusted, tls: sts('enforce'), extensions: offering }, 'sent by TLS'],
  [
    'DANE, offered',
    { certificate: strange, arrange: dane([{ usage: 3, data: spki(strange) }]), extensions: offering },
    'sent by TLS',
  ],
  ['not offered', { certificate: trusted, tls: sts('enforce') }, 'rejected 5.7.30'],
  ['nobody vouches for the host', { certificate: trusted, extensions: offering }, 'rejected 5.7.30'],
  ['only testing', { certificate: trusted, tls: sts('testing'), extensions: offering }, 'rejected 5.7.30'],
  [
    "only the operator's word",
    { certificate: trusted, tls: floor('verified'), extensions: offering },
    'rejected 5.7.30',
  ],
  ['a stranger', { certificate: strange, tls: sts('enforce'), extensions: offering }, 'rejected 5.7.30'],
  [
    'TLS-Required: No counts for nothing',
    { tls: sts('enforce'), text: 'TLS-Required: No\r\n\r\nbody\r\n' },
    'rejected 5.7.30',
  ],
]
for (const [name, scene, told] of required)
  test(`REQUIRETLS: ${name}: ${told}`, async () => {
    const { told: actual, server } = await play({ ...scene, envelope: requireTls })
    assert.equal(actual, told)
    assert.equal(server.mails.length, told.startsWith('sent') ? 1 : 0)
    if (told.startsWith('sent')) assert.match(server.mails[0]!.parameters, /\bREQUIRETLS\b/)
  })

test('the trace tells version, cipher, certificate and what proved it', async () => {
  const proved = await play({ certificate: trusted, tls: sts('enforce') })
  const { tls: { cipher, ...session } = { cipher: '' } } = proved.outcome
  assert.match(cipher, /^TLS_\w+$/)
  assert.deepEqual(session, { version: 'TLSv1.3', peer: 'CN=test', verification: 'verified by MTA-STS' })
  const unknown = await play({ certificate: strange })
  assert.equal(unknown.outcome.tls?.verification, 'not trusted')
  const refused = await play({ certificate: trusted, tls: sts('enforce'), envelope: requireTls })
  assert.equal(refused.outcome.kind, 'rejected')
  assert.equal(refused.outcome.tls?.version, 'TLSv1.3')
})
