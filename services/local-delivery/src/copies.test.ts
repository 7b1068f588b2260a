// The size of a copy for a client that knows no UTF-8 (RFC 6856), where parts inside the mail have headers of their own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { copyFor, originalOf } from './copies.ts'

const TYPE = 'Content-Type: multipart/mixed; boundary=b\r\n'
const BODY = '\r\n--b\r\nContent-Type: a/b; name=花\r\n\r\n花\r\n--b--\r\n'
const PART_GROWTH = ";\r\n name*=utf-8''%E8%8A%B1".length - Buffer.byteLength('; name=花')
const HEADER_GROWTH = '=?utf-8?B?6Iqx?='.length - Buffer.byteLength('花')
const BOB = { accountId: 1, address: 'bob@example.test' }

function jobOf(content: Job['content'], smtpUtf8: boolean): Job {
  return {
    queueId: 'q1',
    direction: 'inbound',
    acceptedAt: 1,
    envelope: { mailFrom: '', recipients: [BOB], smtpUtf8 },
    session: { receivedBy: 'mx' },
    added: [],
    struck: [],
    history: [],
    content,
  }
}

test('UTF-8 in the headers of parts is counted of internationalised mail, which is read once, and of no other', async () => {
  for (const { header, smtpUtf8, growth } of [
    { header: TYPE, smtpUtf8: true, growth: PART_GROWTH },
    { header: `Subject: 花\r\n${TYPE}`, smtpUtf8: false, growth: PART_GROWTH + HEADER_GROWTH },
    { header: TYPE, smtpUtf8: false, growth: undefined },
    { header: 'Subject: x\r\n', smtpUtf8: true, growth: undefined },
  ]) {
    const mail = Buffer.from(`${header}${BODY}`)
    for (const content of [
      { kind: 'inline', bytes: mail },
      { kind: 'stored', id: 'c1', sizeBytes: mail.length },
    ] as const) {
      const job = jobOf(content, smtpUtf8)
      let readings = 0
      const original = await originalOf(job, {
        head: async () => Buffer.from(`${header}\r\n`),
        async *content() {
          readings += 1
          yield mail
        },
      })
      const copy = copyFor(job, BOB, original)
      assert.equal(copy.surrogateBytes, growth === undefined ? undefined : copy.sizeBytes + growth)
      assert.equal(readings, growth === undefined ? 0 : 1)
    }
  }
})
