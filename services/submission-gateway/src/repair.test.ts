// What is mended in a submitted header section, octet for octet, and that nothing else is (RFC 6409 section 8).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader } from '@sekimori/mail/header'
import { repairHead } from './repair.ts'

const facts = {
  queueId: 'q1',
  hostname: 'mx.test',
  accountAddress: 'alice@example.test',
  time: Date.UTC(2026, 2, 2, 10),
}
const COMPLETE = 'From: alice@example.test\r\nDate: today\r\nMessage-ID: <1@x>\r\n'
const repaired = (text: string): string => {
  const head = Buffer.from(text, 'latin1')
  return repairHead(head, parseHeader(head), facts).toString('latin1')
}

test('a complete header section is the very same afterwards', () => {
  const head = Buffer.from(`${COMPLETE}To:b@x\r\nsubject:  \xe9 odd \r\n\tfold\r\nno field\r\nX : y\n\r\n`, 'latin1')
  assert.equal(repairHead(head, parseHeader(head), facts), head)
})

test('Bcc is removed, in every spelling, with its folds, and nothing beside it', () => {
  for (const bcc of [
    'Bcc: secret@x.test\r\n',
    'BCC : secret@x.test,\r\n\tmore@x.test,\r\n other@x.test\r\n',
    'bcc:\r\n',
    'Resent-Bcc: secret@x.test\r\n',
    'Bcc: secret@x.test\n',
    'Bcc: a\r\nBcc: b\r\n',
  ]) {
    assert.equal(repaired(`${COMPLETE}${bcc}Subject: x\r\n\r\n`), `${COMPLETE}Subject: x\r\n\r\n`, bcc)
    assert.equal(repaired(`${bcc}${COMPLETE}\r\n`), `${COMPLETE}\r\n`, bcc)
  }
  for (const stays of ['X-Bcc: y\r\n', 'Subject: Bcc: y\r\n', 'Subject: x\r\n Bcc: y\r\n'])
    assert.equal(repaired(`${COMPLETE}${stays}\r\n`), `${COMPLETE}${stays}\r\n`)
})

test('Date, Message-ID and From are added where they are missing, and only there', () => {
  const date = 'Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n'
  assert.equal(
    repaired('Subject: x\r\n\r\n'),
    `From: alice@example.test\r\n${date}Message-ID: <q1@mx.test>\r\nSubject: x\r\n\r\n`,
  )
  assert.equal(repaired('FROM: a\r\nmessage-id : <1>\r\n\r\n'), `${date}FROM: a\r\nmessage-id : <1>\r\n\r\n`)
  assert.equal(repaired('From: a\r\nDate: bad\r\n\r\n'), 'Message-ID: <q1@mx.test>\r\nFrom: a\r\nDate: bad\r\n\r\n')
  assert.equal(
    repaired('Bcc: b\r\nDate: d\r\nMessage-ID: <1>\r\n\r\n'),
    'From: alice@example.test\r\nDate: d\r\nMessage-ID: <1>\r\n\r\n',
  )
})

test('a mail without a header section gets one, and its text stays the body', () => {
  const added = repaired('')
  assert.match(added, /^From: .*\r\nDate: .*\r\nMessage-ID: .*\r\n$/)
  assert.equal(repaired('\r\n'), `${added}\r\n`)
  assert.equal(repaired('Hello Bob,\r\n\r\n'), `${added}\r\nHello Bob,\r\n\r\n`)
})
