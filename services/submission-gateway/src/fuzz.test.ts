// Whatever is said to submission, before and after login, the gateway answers and stays well. Seeded (FUZZ_SEED); the
// nightly form is `npm run fuzz`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { createLog } from '@sekimori/runtime/log'
import { listenSmtp } from '@sekimori/smtp/listener'
import {
  endedInTime,
  heldMemoryBytes,
  isInjected,
  maybeFail,
  numbersFrom,
  sendEndlessLine,
  settledGrowthBytes,
  watchCrashes,
} from '@sekimori/testing/fuzz'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { fuzzSmtp } from '@sekimori/testing/smtp-fuzzer'
import { fixedCertificates, makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { Config } from './config.ts'
import { listenerOptions } from './listener-options.ts'
import type { Ports } from './ports.ts'
import { submissionDecisions } from './session.ts'

const SEED = Number(process.env.FUZZ_SEED ?? 6409)
const COMMANDS = Number(process.env.FUZZ_COMMANDS ?? 25_000)
const WARM_UP = 2_000
/** A leak of 800 octets a command would show in every run. */
const MEMORY_GROWTH_MAX_BYTES = 20_000_000
const FAIL_ONE_IN = 40
const ALICE = 'alice@example.test'
const limits = {
  mailsPerHour: 1e9,
  recipientsPerHour: 1e9,
  recipientsPerDay: 1e9,
  bytesPerDay: 1e12,
  maxMessageBytes: 1e9,
}
const config = {
  MAIL_HOSTNAME: 'mx.test',
  BIND_ADDRESS: '127.0.0.1',
  SUBMISSION_PORT: 0,
  DRAIN_TIMEOUT_MS: 1_000,
  PLAINTEXT_AUTH: 'allow',
  MAX_MESSAGE_BYTES: 100_000,
  INLINE_CONTENT_MAX_BYTES: 100_000,
  MAX_RECIPIENTS: 10,
  MAX_SESSIONS: 100,
  BARE_LF: 'repair',
  MAX_LINE_BYTES: 32_768,
  COMMAND_TIMEOUT_MS: 60_000,
  HANDSHAKE_TIMEOUT_MS: 60_000,
  DATA_MIN_BYTES_PER_SECOND: 500,
  SESSION_TIMEOUT_MS: 600_000,
  MAX_ERRORS: 40,
  GREETING_DELAY_MS: 0,
} as Config

test(`${COMMANDS} commands from seed ${SEED}`, { timeout: 3_600_000 }, async (t) => {
  using watch = watchCrashes()
  const ours: unknown[] = []
  let injected = 0
  const warn = ({ err }: { err?: Error }) => {
    // A client that cuts its connection off in the middle of a mail is no fault of ours.
    if (isInjected(err)) injected++
    else if (!/Connection closed before/.test(String(err?.message))) ours.push(err)
  }
  const log = Object.assign(createLog('test', 'silent'), { warn })
  const below = numbersFrom(SEED)
  let mails = 0
  const publish = async ({ content, envelope }: Job) => {
    maybeFail(below, FAIL_ONE_IN)
    mails++
    assert.ok(content.kind === 'inline')
    assert.doesNotMatch(content.bytes.toString('latin1'), /(?<!\r)\n|\r(?!\n)|\0/)
    assert.ok([ALICE, ''].includes(envelope.mailFrom), envelope.mailFrom)
  }
  const ports = {
    admission: { admit: () => undefined, leave: () => {}, isFlood: () => false },
    login: async ({ address, password }: { address: string; password: string }) => {
      maybeFail(below, FAIL_ONE_IN)
      return address === ALICE && password === 'right'
        ? { kind: 'ok', account: { id: 1, address } }
        : { kind: 'refused' }
    },
    mailFirst: (work: () => Promise<unknown>) => work(),
    sendingLimits: async () => limits,
    usage: { used: () => 0, spend: async () => undefined, note: () => 0 },
    directory: {
      lookup: async (address: string) => {
        maybeFail(below, FAIL_ONE_IN)
        return address.endsWith('@example.test') ? { kind: 'account', accountId: 2, address } : { kind: 'foreign' }
      },
    },
    sendingState: async () => 'allowed',
    publish,
  } as unknown as Ports
  const certificates = fixedCertificates(await makeTestCertificate('localhost'))
  const listener = await listenSmtp(
    listenerOptions(config, 'starttls', certificates),
    submissionDecisions(config, ports),
    log,
  )
  await using _listener = endedInTime(listener)
  await fuzzSmtp({ port: listener.port, seed: SEED + 1, commands: WARM_UP })
  const before = heldMemoryBytes()
  const report = await fuzzSmtp({ port: listener.port, seed: SEED, commands: COMMANDS })
  assert.ok(mails >= report.accepted && report.accepted > 0, `${report.accepted} of ${mails} mails`)
  for (const code of [220, 235, 250, 334, 354, 421, 500, 501, 502, 503, 530])
    assert.ok(report.replies.has(code), `${code}`)
  assert.deepEqual([...watch.crashes, ...ours], [])
  using _endless = await sendEndlessLine(listener.port)
  const growth = await settledGrowthBytes(before, MEMORY_GROWTH_MAX_BYTES)
  t.diagnostic(`seed ${SEED}: ${report.answered} replies in ${report.sessions} sessions, ${mails} mails taken`)
  t.diagnostic(`${injected} injected faults; memory grew by ${growth} octets`)
  assert.ok(report.answered >= COMMANDS && injected > 0)
  assert.ok(growth < MEMORY_GROWTH_MAX_BYTES, `memory grows by ${growth} octets`)
  await using client = await dialSmtp({ host: '127.0.0.1', port: listener.port })
  await client.say('EHLO sane.test', 250)
})
