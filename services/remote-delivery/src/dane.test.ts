// DANE (RFC 7672): which certificates TLSA records prove, and where they count for nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeExpiredTestChain, makeTestChain } from '@sekimori/testing/test-certificate'
import { dane, expired, HOST, play, type Scene, spki, strange, sts, trusted } from './testing/encryption-scene.ts'

const issued = await makeTestChain(HOST)
const old = await makeExpiredTestChain(HOST)
const misnamed = await makeTestChain('mx9.remote.test')
/** Signed by another key, with the certificate of the real issuer put behind it, which is no secret. */
const { leaf, key } = await makeTestChain(HOST)
const forged = { cert: leaf + issued.ca, key }

const ofStranger = [{ usage: 3, data: spki(strange) }]
const ofIssuer = (ca: string) => dane([{ usage: 2, data: spki({ cert: ca }) }])

const daneScenes: [string, Scene, string, string][] = [
  ['its key (3)', { certificate: strange, arrange: dane(ofStranger) }, 'sent by TLS', 'tlsa successful'],
  ['its issuer (2)', { certificate: issued, arrange: ofIssuer(issued.ca) }, 'sent by TLS', 'tlsa successful'],
  [
    'its key (3), whose own time is over, which says nothing',
    { certificate: expired, arrange: dane([{ usage: 3, data: spki(expired) }]) },
    'sent by TLS',
    'tlsa successful',
  ],
  [
    'its issuer, but its time is over (2)',
    { certificate: old, arrange: ofIssuer(old.ca) },
    'deferred 4.7.5',
    'tlsa validation-failure',
  ],
  [
    'another issuer of the same name (2)',
    { certificate: issued, arrange: ofIssuer(misnamed.ca) },
    'deferred 4.7.5',
    'tlsa validation-failure',
  ],
  [
    'its issuer, but the name of another host (2)',
    { certificate: misnamed, arrange: ofIssuer(misnamed.ca) },
    'deferred 4.7.5',
    'tlsa validation-failure',
  ],
  [
    'a certificate that only claims to be of its issuer (2)',
    { certificate: forged, arrange: ofIssuer(issued.ca) },
    'deferred 4.7.5',
    'tlsa validation-failure',
  ],
  [
    'its issuer beside a wrong key (2 and 3)',
    { certificate: issued, arrange: dane([...ofStranger, { usage: 2, data: spki({ cert: issued.ca }) }]) },
    'sent by TLS',
    'tlsa successful',
  ],
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
