// For tests only: submission listeners whose ports are object literals that note what they are asked for.
import type { Job } from '@sekimori/mail/job'
import { createLog } from '@sekimori/runtime/log'
import { type Listener, listenSmtp } from '@sekimori/smtp/listener'
import type { SendingLimits } from '@sekimori/store/sending-limit'
import { dialSmtp, type SmtpDialer, type SmtpDialOptions } from '@sekimori/testing/smtp-dialer'
import { fixedCertificates, makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { Config } from '../config.ts'
import { listenerOptions } from '../listener-options.ts'
import type { Ports } from '../ports.ts'
import { submissionDecisions } from '../session.ts'

export const ALICE = 'alice@example.test'
const certificate = await makeTestCertificate('localhost')
const ca = certificate.cert
export const certificates = fixedCertificates(certificate)
export const config = {
  MAIL_HOSTNAME: 'mx.test',
  BIND_ADDRESS: '127.0.0.1',
  SUBMISSION_PORT: 0,
  SMTPS_PORT: 0,
  DRAIN_TIMEOUT_MS: 1_000,
  PLAINTEXT_AUTH: 'deny',
  MAX_MESSAGE_BYTES: 100_000,
  INLINE_CONTENT_MAX_BYTES: 2_000,
  MAX_RECIPIENTS: 10,
  MAX_SESSIONS: 10,
  BARE_LF: 'repair',
  MAX_LINE_BYTES: 32_768,
  COMMAND_TIMEOUT_MS: 60_000,
  HANDSHAKE_TIMEOUT_MS: 60_000,
  DATA_MIN_BYTES_PER_SECOND: 500,
  SESSION_TIMEOUT_MS: 600_000,
  MAX_ERRORS: 20,
  GREETING_DELAY_MS: 0,
  OAUTH_ISSUER: '',
} as Config

const limits: SendingLimits = {
  mailsPerHour: 100,
  recipientsPerHour: 100,
  recipientsPerDay: 100,
  bytesPerDay: 1e9,
  maxMessageBytes: 1e9,
}

/** Alice is the only account, and bob@example.test the only other address here. */
export function portsThatNote(changes: Partial<Ports> = {}) {
  const jobs: Job[] = []
  const stored = new Map<string, Buffer>()
  const ports: Ports = {
    login: async ({ address, password }) =>
      address === ALICE && password === 'right' ? { kind: 'ok', account: { id: 1, address } } : { kind: 'refused' },
    mailFirst: (work) => work(),
    admission: { admit: () => undefined, leave: () => {}, isFlood: () => false },
    sendingLimits: async () => limits,
    usage: { used: () => 0, spend: async () => undefined, note: () => 0 },
    directory: {
      lookup: async (address) =>
        address === 'bob@example.test'
          ? { kind: 'account', accountId: 2, address }
          : { kind: address.endsWith('@example.test') ? 'unknown' : 'foreign' },
    },
    mayPost: async () => true,
    sendingState: async () => 'allowed',
    store: async (queueId, input) => {
      stored.set(queueId, Buffer.concat(await Array.fromAsync(input)))
      return stored.get(queueId)!.length
    },
    publish: async (job) => void jobs.push(job),
    tokens: undefined,
    ...changes,
  }
  return { ports, jobs, stored }
}

export async function listen(
  ports: Ports,
  encryption: 'starttls' | 'implicit' = 'starttls',
  changes: Partial<Config> = {},
): Promise<Listener> {
  const settings = { ...config, ...changes }
  const decisions = submissionDecisions(settings, ports)
  return listenSmtp(listenerOptions(settings, encryption, certificates), decisions, createLog('test', 'silent'))
}

export const dial = (port: number, options: SmtpDialOptions = {}): Promise<SmtpDialer> =>
  dialSmtp({ host: '127.0.0.1', port }, { ca, servername: 'localhost', ...options })

/** Logged in as alice, over TLS from the start. */
export async function loggedIn(port: number): Promise<SmtpDialer> {
  const client = await dial(port, { tls: 'implicit' })
  await client.say('EHLO client.test', 250)
  await client.authPlain(ALICE, 'right')
  return client
}
