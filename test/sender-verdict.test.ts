// What the owner of a maildrop is told about a mail's sender, in plain words: in the mail itself and in the trace.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { workspace } from '@sekimori/testing/launcher'
import { composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

/** A domain whose mail from 127.0.0.1 passes SPF and DMARC, or does not. */
function createSender(stack: Stack, domain: string, isHonest = true): string {
  stack.dns.set(domain, 'TXT', [`v=spf1 ip4:${isHonest ? '127.0.0.1' : '192.0.2.1'} -all`])
  stack.dns.set(`_dmarc.${domain}`, 'TXT', ['v=DMARC1; p=reject'])
  return `anna@${domain}`
}

async function send(stack: Stack, from: string, to: Mailbox, headers: string[] = []): Promise<string> {
  return stack.sendAsStranger(from, [to.address], composeMail({ from, to: to.address, headers }))
}

const oneLine = (value: string) => value.replace(/\r\n(?=[\t ])/g, '')
const verdictOf = (mail: Buffer) => oneLine(fieldOf(mail, 'X-Sekimori-Sender-Verdict'))

function noteOf(mail: Buffer): string {
  const words = oneLine(fieldOf(mail, 'X-Sekimori-Sender-Note'))
  return words.replace(/=\?UTF-8\?B\?([^?]*)\?= ?/g, (_word, base64: string) =>
    Buffer.from(base64, 'base64').toString(),
  )
}

test('S2-12 the three results are told as one plain verdict, in the language of the account, and in the trace', async () => {
  const stack = await sharedStack()
  const [english, japanese] = [await stack.createMailbox({ locale: 'en' }), await stack.createMailbox({ locale: 'ja' })]
  const honest = createSender(stack, `${randomUUID().slice(0, 13)}-h.test`)
  const queueId = await send(stack, honest, english)
  const [good] = await stack.received(english)
  const domain = honest.split('@')[1]!
  assert.equal(verdictOf(good!), `confirmed; from=${domain}; spf=pass; dkim=none; dmarc=pass`)
  assert.match(noteOf(good!), /^It is confirmed that this mail comes from/)
  const forged = createSender(stack, `${randomUUID().slice(0, 13)}-f.test`, false)
  await send(stack, forged, japanese)
  const [bad] = await stack.received(japanese)
  assert.match(verdictOf(bad!), /^failed; /)
  assert.match(noteOf(bad!), /なりすましの可能性があります/)
  const [end] = (await stack.api('GET', `/v1/messages?queueId=${queueId}`)).body.items
  assert.deepEqual([end.senderVerdict.kind, end.senderVerdict.from], ['confirmed', domain])
  assert.match(end.senderVerdict.en, /^It is confirmed/)
  assert.match(end.senderVerdict.ja, /確認しました/)
})

test('S2-05 S2-07 a lookalike domain shows PASS, and the one that it looks like is named', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox({ locale: 'en' })
  await send(stack, createSender(stack, 'examp1e.test'), bob)
  const [own] = await stack.received(bob)
  assert.match(verdictOf(own!), /^confirmed; from=examp1e\.test; .*dmarc=pass; resembles=example\.test$/)
  assert.match(noteOf(own!), /Caution: examp1e\.test looks like example\.test.*PASS only says/)
  const carol = await stack.createMailbox({ locale: 'ja' })
  const name = `kaisha${randomUUID().slice(0, 6)}`
  await send(stack, createSender(stack, `${name}.test`), carol)
  assert.doesNotMatch(verdictOf((await stack.received(carol))[0]!), /resembles/)
  const lookalike = createSender(stack, `${name}-inc.test`)
  // Whom somebody knows is noted a moment after the mail.
  const [caution] = await eventually(async () => {
    const end = await stack.ended(await send(stack, lookalike, carol))
    assert.equal(end.length, 1)
    const named = (await stack.messages(carol)).filter((mail) => verdictOf(mail).includes(`resembles=${name}.test`))
    return named.length > 0 && named
  })
  assert.match(noteOf(caution!), new RegExp(`${name}\\.test とよく似た別のドメインです`))
})

test('S2-05 whom an account writes to is no lookalike to it', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  stack.dns.set('exemple.test', 'MX', [{ exchange: 'mx.exemple.test', priority: 10 }])
  stack.dns.set('mx.exemple.test', 'A', ['127.0.0.1'])
  const to = 'x@exemple.test'
  await stack.ended(await stack.submit(bob, [to], composeMail({ from: bob.address, to })))
  const sender = createSender(stack, 'exemple.test')
  await eventually(
    async () => {
      await stack.ended(await send(stack, sender, bob))
      const last = (await stack.messages(bob)).at(-1)!
      return !verdictOf(last).includes('resembles')
    },
    { withinMs: 90_000, what: 'the account to know whom it writes to' },
  )
})

test('S2-13 a verdict that came in with the mail is removed', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const forged = [
    'X-Sekimori-Sender-Verdict: confirmed; forged.example',
    'x-sekimori-sender-NOTE: forged.example is fine',
  ]
  await send(stack, createSender(stack, 'forger.test', false), bob, forged)
  const mail = composeMail({ from: alice.address, to: bob.address, headers: forged })
  await stack.submit(alice, [bob.address], mail)
  for (const received of await stack.received(bob, 2)) {
    assert.doesNotMatch(received.toString('latin1'), /forged\.example/)
    assert.equal(fieldsOf(received, 'X-Sekimori-Sender-Verdict').length, 1)
    assert.equal(fieldsOf(received, 'X-Sekimori-Sender-Note').length, 1)
  }
  const verdicts = (await stack.messages(bob)).map((received) => verdictOf(received).split(';')[0]).sort()
  assert.deepEqual(verdicts, ['failed', 'own'])
})

test('S2-05 S2-07 S2-12 a page explains every verdict and result, that FAIL may be spoofing, and that a lookalike passes', () => {
  const page = (language: string) =>
    readFileSync(join(workspace, `docs/help/sender-authentication.${language}.md`), 'utf8')
  const words =
    'own system confirmed partly unconfirmed failed unreadable unknown pass fail softfail neutral none temperror permerror'
  for (const text of [page('ja'), page('en')]) {
    for (const word of words.split(' ')) assert.ok(text.includes(`\`${word}\``), word)
    for (const word of ['SPF', 'DKIM', 'DMARC', 'X-Sekimori-Sender-Verdict', 'resembles=', '180'])
      assert.ok(text.includes(word))
  }
  assert.match(page('en'), /`failed` .*may be spoofed/)
  assert.match(page('en'), /A lookalike can show PASS/)
  assert.match(page('ja'), /`failed` .*なりすましの可能性/)
  assert.match(page('ja'), /よく似たドメインは PASS になる/)
})
