// An account whose sending was stopped is told so at MAIL FROM, also in a session that is open.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { SendingState } from '@sekimori/store/sending-stop'
import type { SMTPServerSession } from 'smtp-server'
import type { Config } from './config.ts'
import type { Ports } from './ports.ts'
import { submissionDecisions } from './session.ts'

const alice = { id: 1, address: 'alice@example.test' }

test('MAIL FROM is refused while sending is stopped, and taken again afterwards', async () => {
  let state: SendingState = 'allowed'
  const decisions = submissionDecisions(
    {} as Config,
    {
      mailFirst: (work: () => Promise<void>) => work(),
      sendingState: async () => state,
      sendingLimits: async () => ({ mailsPerHour: 1, recipientsPerHour: 1, recipientsPerDay: 1, bytesPerDay: 1 }),
      usage: { used: () => 0 },
    } as unknown as Ports,
  )
  const session = { user: alice } as unknown as SMTPServerSession
  const mailFrom = (address: string) => decisions.mailFrom({ address, args: {} }, session)
  await mailFrom(alice.address)
  state = 'stopped'
  for (const address of [alice.address, '']) {
    await assert.rejects(mailFrom(address), (error) => {
      assert.ok(error instanceof SmtpReply)
      assert.deepEqual([error.responseCode, error.enhancedCode], [550, '5.7.1'])
      assert.match(error.message, /Sending is stopped for alice@example\.test/)
      return true
    })
  }
  state = 'gone'
  await assert.rejects(mailFrom(alice.address), /no account/)
  state = 'allowed'
  await mailFrom(alice.address)
})
