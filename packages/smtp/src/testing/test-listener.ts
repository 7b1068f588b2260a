// A listener on a port of its own that takes every mail, for tests that speak to it octet by octet.
import type { CertificateSource } from '@sekimori/runtime/certificates'
import { createLog } from '@sekimori/runtime/log'
import { connect, type LineSocket } from '@sekimori/testing/line-socket'
import { fixedCertificates } from '@sekimori/testing/test-certificate'
import type { SMTPServerOptions } from 'smtp-server'
import type { SessionLimits } from '../limits.ts'
import { type Decisions, listenSmtp } from '../listener.ts'
import { receiveMail } from '../receive.ts'
import { envelopeOf } from '../session-facts.ts'

export interface TakenMail {
  mailFrom: string
  recipients: string[]
  text: string
}

export interface TestListenerOptions {
  limits?: Partial<SessionLimits>
  smtp?: SMTPServerOptions
  /** With it the listener speaks TLS. */
  certificate?: { cert: string; key: string }
  /** In its place. */
  certificates?: CertificateSource
  decisions?: Partial<Decisions>
  proxyNetworks?: string
}

/** Listens; `mails` fills with what was accepted. */
export async function testListener(options: TestListenerOptions = {}) {
  const { limits, smtp, decisions, proxyNetworks } = options
  const { certificate, certificates = certificate && fixedCertificates(certificate) } = options
  const mails: TakenMail[] = []
  const all: Decisions = {
    authenticate: async ({ username }) => ({ address: username }),
    mailFrom: async () => {},
    recipient: async () => {},
    data: async (stream, session) => {
      const { mailFrom, recipients } = envelopeOf(session)
      const content = await receiveMail(stream, {
        maxMessageBytes: 10_000_000,
        inlineMaxBytes: 10_000_000,
        repair: (head) => head,
        store: () => Promise.reject(new Error('not in this test')),
      })
      const text = content.kind === 'inline' ? content.bytes.toString('latin1') : ''
      mails.push({ mailFrom, recipients: recipients.map(({ address }) => address), text })
      return `id-${mails.length}`
    },
    ...decisions,
  }
  const listener = await listenSmtp(
    {
      host: '127.0.0.1',
      port: 0,
      drainTimeoutMs: 2_000,
      ...(limits === undefined ? {} : { limits }),
      ...(proxyNetworks === undefined ? {} : { proxyNetworks }),
      ...(certificates === undefined ? {} : { certificates }),
      smtp: { name: 'mx.test', authOptional: true, allowInsecureAuth: true, disabledCommands: ['STARTTLS'], ...smtp },
    },
    all,
    createLog('test', 'silent'),
  )
  const endpoint = { host: '127.0.0.1', port: listener.port }
  return { mails, endpoint, [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose]() }
}

/** Reads lines until the connection ends. */
export async function linesUntilEnd(socket: LineSocket): Promise<string[]> {
  const lines: string[] = []
  for (;;) {
    const line = await socket.readLine().catch(() => undefined)
    if (line === undefined) return lines
    lines.push(line)
  }
}

/** Connects and sends octets at once, without waiting for the greeting or a reply; resolves to all that was said. */
export async function shout(endpoint: { host: string; port: number }, octets: string): Promise<string[]> {
  const socket = await connect(endpoint)
  await socket.write(Buffer.from(octets, 'latin1'))
  const lines = await linesUntilEnd(socket)
  await socket.close()
  return lines
}
