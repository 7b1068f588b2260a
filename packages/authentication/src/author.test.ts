// Who a mail is from, as every reader reads it, and From fields written to be read in two ways or to cost much to read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader } from '@sekimori/mail/header'
import { readAuthor } from './author.ts'

const author = (header: string) => readAuthor(parseHeader(Buffer.from(`${header}\r\n\r\n`)))

test('one From field with one address has an author, however it is written', () => {
  for (const value of [
    'a@x.test',
    '<a@x.test>',
    'Alice B. Carroll <a@x.test>',
    '"Carroll, Alice" <a@X.Test>',
    '=?utf-8?B?6Zai5a6I?= <a@x.test>',
    'アリス <a@x.test>',
    'Alice (at work, b@y.test) <a@x.test>',
    '"a b"@x.test',
  ]) {
    const read = author(`From: ${value}`)
    assert.equal(read.kind, 'address', value)
    assert.equal(read.kind === 'address' && read.domain, 'x.test', value)
  }
})

test('whatever can be read as another author has none', () => {
  for (const header of [
    'Subject: nobody',
    'From: a@x.test\r\nFrom: b@y.test',
    'From: a@x.test, b@y.test',
    'From: a@x.test <b@y.test>',
    'From: <a@x.test> <b@y.test>',
    'From: friends: a@x.test;',
    'From: a@x.test (never closed',
    'From: a@[192.0.2.1]',
    'From: a',
    'From:',
    'From: b@y.test\rFrom: a@x.test',
  ])
    assert.equal(author(header).kind, 'unclear', JSON.stringify(header))
})

// A pattern that can match a text in several ways takes for ever over one of these: the test then never ends.
test('a From field of any shape is read', () => {
  for (const part of ['a', 'a.', 'a ', '"', '"a"', '"\\', '(', 'a@', '<', 'a@x.test,', '\u3042', '.'])
    for (const tail of ['', '@', '<', '>', '@x.test>', '\\'])
      assert.equal(author(`From: ${part.repeat(100_000 / part.length)}${tail}`).kind, 'unclear', part + tail)
})
