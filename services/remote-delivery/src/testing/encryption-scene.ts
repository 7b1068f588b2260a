// For tests only: one mail to a server with a certificate, under what domain and operator ask for, and what is told of it.
import { createHash, X509Certificate } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { makeExpiredTestCertificate, makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { TlsStance } from '../destination.ts'
import type { Outcome } from '../outcome.ts'
import { type Outside, openOutside, outboundJob } from './outside.ts'

const BOB = 'bob@remote.test'
export const HOST = 'mx2.remote.test'
export const trusted = await makeTestCertificate(HOST)
export const expired = await makeExpiredTestCertificate(HOST)
setDefaultCACertificates([...getCACertificates(), trusted.cert, expired.cert])
export const strange = await makeTestCertificate(HOST)

export const sts = (mode: 'enforce' | 'testing', host = HOST): TlsStance => ({
  floor: 'opportunistic',
  sts: { id: '1', mode, maxAgeSeconds: 60, mx: [host] },
})
/** The domain's server under a name that its certificate does not have. */
export const renamed = ({ dns }: Outside) => {
  dns.set('remote.test', 'MX', [{ exchange: 'mx.remote.test', priority: 1 }])
  dns.set('mx.remote.test', 'A', ['127.0.0.2'])
}
export const floor = (least: TlsStance['floor']): TlsStance => ({ floor: least })

export interface Scene {
  certificate?: { cert: string; key: string }
  tls?: TlsStance
  envelope?: Record<string, unknown>
  text?: string
  extensions?: string[]
  arrange?: (outside: Outside) => void
}

export async function play({ certificate, tls, envelope = {}, text, extensions, arrange }: Scene) {
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

const sha256 = (octets: Buffer) => createHash('sha256').update(octets).digest()
export const spki = ({ cert }: { cert: string }) =>
  sha256(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))

/** DANE: the records, with everything that leads to them validated except what is left out. */
export const dane =
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
