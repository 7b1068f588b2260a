// A small job for the tests of this package.
import type { Job } from '@sekimori/mail/job'

export function jobFor(queueId: string, text = 'Subject: x\r\n\r\nbody\r\n'): Job {
  return {
    queueId,
    direction: 'inbound',
    acceptedAt: 1,
    envelope: { mailFrom: '', recipients: [{ address: 'bob@example.test' }] },
    session: { receivedBy: 'mx' },
    added: [],
    struck: [],
    history: [],
    content: { kind: 'inline', bytes: Buffer.from(text) },
  }
}
