// What a server must show before it gets a mail: MTA-STS, DANE, REQUIRETLS, the operator's word; and what is recorded of it.
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { TlsStance } from './destination.ts'
import type { Outcome } from './outcome.ts'
import { type Outside, openOutside, outboundJob } from './testing/outside.ts'

const BOB = 'bob@remote.test'
const HOST = 'mx2.remote.test'
const trusted = await makeTestCertificate(HOST)
setDefaultCACertificates([...getCACertificates(), trusted.cert])
const strange = await makeTestCertificate(HOST)

const sts = (mode: 'enforce' | 'testing', host = HOST): TlsStance => ({
  floor: 'opportunistic',
  sts: { id: '1', mode, maxAgeSeconds: 60, mx: [host] },
})
/** The domain's server under a name that its certificate does not have. */
const renamed = ({ dns }: Outside) => {
  dns.set('remote.test', 'MX', [{ exchange: 'mx.remote.test', priority: 1 }])
  dns.set('mx.remote.test', 'A', ['127.0.0.2'])
}
const floor = (least: TlsStance['floor']): TlsStance => ({ floor: least })

interface Scene {
  certificate?: { cert: string; key: string }
  tls?: TlsStance
  envelope?: Record<string, unknown>
  text?: string
  extensions?: string[]
  arrange?: (outside: Outside) => void
}

async function play({ certificate, tls, envelope = {}, text, extensions, arrange }: Scene) {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test', {
    ...(certificate === undefined ? {} : { certificate }),
    ...(extensions === undefined ? {} : { extensions }),
  })
  arrange?.(outside)
  const job = outboundJob([BOB], { envelope: envelope as never }, text)
  const outcomes = await outside.deliver(job, outside.ports(), new AbortController().signal, tls)
  const outcome = outcomes.get(BOB)!
  const results = outside.tlsResults.map(({ policy, fault }) => `${policy.kind} ${fault ?? 'successful'}`)
  return { server, outcome, told: brief(outcome), results }
}

const brief = (outcome: Outcome) =>
  outcome.kind === 'sent'
    ? `sent ${outcome.tls === undefined ? 'in the clear' : 'by TLS'}`
    : `${outcome.kind} ${outcome.status}`

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

const sha256 = (octets: Buffer) => createHash('sha256').update(octets).digest()
const spki = ({ cert }: { cert: string }) =>
  sha256(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))

/** DANE: the records, with everything that leads to them validated except what is left out. */
const dane =
  (records: { usage: number; data: Buffer }[], unvalidated?: string) =>
  (outside: Outside): void => {
    const name = `_${outside.port}._tcp.${HOST}`
    outside.dns.set(
      name,
      'TLSA',
      records.map((record) => ({ selector: 1, matchingType: 1, ...record })),
    )
    for (const one of ['remote.test', HOST, name]) if (one !== unvalidated) outside.dns.validate(one)
  }
const ofStranger = [{ usage: 3, data: spki(strange) }]

const daneScenes: [string, Scene, string, string][] = [
  ['its key (3)', { certificate: strange, arrange: dane(ofStranger) }, 'sent by TLS', 'tlsa successful'],
  ['another key', { certificate: trusted, arrange: dane(ofStranger) }, 'deferred 4.7.5', 'tlsa validation-failure'],
  ['no TLS', { arrange: dane(ofStranger) }, 'deferred 4.7.10', 'tlsa starttls-not-supported'],
  [
    'before MTA-STS',
    { certificate: strange, tls: sts('enforce'), arrange: dane(ofStranger) },
    'sent by TLS',
    'tlsa successful',
  ],
  [
    'of no kind for SMTP (1)',
    { certificate: strange, arrange: dane([{ usage: 1, data: spki(trusted) }]) },
    'sent by TLS',
    'tlsa successful',
  ],
  [
    'of no kind, no TLS',
    { arrange: dane([{ usage: 1, data: spki(trusted) }]) },
    'deferred 4.7.10',
    'tlsa starttls-not-supported',
  ],
  [
    'MX not validated',
    { certificate: trusted, arrange: dane(ofStranger, 'remote.test') },
    'sent by TLS',
    'no-policy-found successful',
  ],
  [
    'address not validated',
    { certificate: trusted, arrange: dane(ofStranger, HOST) },
    'sent by TLS',
    'no-policy-found successful',
  ],
  [
    'lookup fails',
    {
      certificate: trusted,
      arrange(outside) {
        dane(ofStranger)(outside)
        outside.dns.fail(`_${outside.port}._tcp.${HOST}`, 'SERVFAIL')
      },
    },
    'deferred 4.7.5',
    'tlsa dnssec-invalid',
  ],
]
for (const [name, scene, told, result] of daneScenes)
  test(`DANE: ${name}: ${told}`, async () => {
    const { told: actual, results } = await play(scene)
    assert.deepEqual([actual, results], [told, [result]])
  })

const requireTls = { requireTls: true }
const offering = ['REQUIRETLS']
const required: [string, Scene, string][] = [
  ['MTA-STS enforced, offered', { certificate: trusted, tls: sts('enforce'), extensions: offering }, 'sent by TLS'],
  ['DANE, offered', { certificate: strange, arrange: dane(ofStranger), extensions: offering }, 'sent by TLS'],
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
