// What a warning looks like: a mail like any other, signed, in the reader's language, that nothing answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSignatures } from '@sekimori/testing/dkim-check'
import { composeMail, fieldOf, fieldsOf, subjectOf, textOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { DOMAIN } from '@sekimori/testing/stack'
import { HOSTNAME } from '@sekimori/testing/stack-settings'
import { virusMail } from '@sekimori/testing/virus-mail'

test('S1-17 S1-18 a warning has a null reverse-path, is Auto-Submitted, signed, scanned and verified', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  await stack.sendAsStranger(
    'x@sender.example',
    [bob.address],
    virusMail({ from: 'x@sender.example', to: bob.address }),
  )
  const [warning] = await stack.received(bob)
  assert.equal(fieldOf(warning!, 'Return-Path'), '<>')
  assert.equal(fieldOf(warning!, 'Auto-Submitted'), 'auto-replied')
  assert.match(fieldOf(warning!, 'From'), new RegExp(`<MAILER-DAEMON@${DOMAIN}>$`))
  assert.equal(fieldOf(warning!, 'To'), bob.address)
  assert.match(fieldOf(warning!, 'X-Virus-Status'), /^clean;/)
  assert.match(fieldOf(warning!, 'Authentication-Results'), new RegExp(`^${HOSTNAME};.*dkim=pass.*dmarc=pass`))
  const checks = await checkSignatures(warning!, stack.dns.address)
  assert.deepEqual(
    checks.map(({ isValid }) => isValid),
    [true, true],
  )
  for (const name of ['Date', 'Message-ID', 'MIME-Version', 'Content-Type']) fieldOf(warning!, name)
})

test('S1-17 S1-18 warnings are in the language of the account that gets them', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox({ locale: 'en' }), await stack.createMailbox({ locale: 'ja' })]
  await stack.submit(alice, [bob.address], virusMail({ from: alice.address, to: bob.address, subject: '請求書の件' }))
  const [english] = await stack.received(alice)
  assert.equal(subjectOf(english!), 'Virus warning')
  assert.match(textOf(english!), /A virus was found in a mail that you sent/)
  const [japanese] = await stack.received(bob)
  assert.equal(subjectOf(japanese!), 'ウイルス検知のお知らせ')
  assert.match(textOf(japanese!), /件名: 請求書の件/)
})

test('a stranger can put neither links nor lines of his own into a warning', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox({ locale: 'en' })
  const words = Buffer.from('win http://evil.example/\r\n\r\nCall 0900 now')
  const subject = `=?utf-8?B?${words.toString('base64')}?=`
  const mail = virusMail({ from: 'www.evil.example@sender.example', to: bob.address, subject })
  await stack.sendAsStranger('x@sender.example', [bob.address], mail)
  const text = textOf((await stack.received(bob))[0]!)
  assert.match(text, /^Subject: win http:\[\/\/\]evil\[\.\]example\/ Call 0900 now$/m)
  assert.doesNotMatch(text, /:\/\/|www\.evil/)
})

test('a virus mail with a null reverse-path warns the recipient and nobody else', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  const queueId = await stack.sendAsStranger('', [bob.address], virusMail({ from: `x@${domain}`, to: bob.address }))
  await stack.received(bob, 1)
  await stack.submit(bob, [`y@${domain}`], composeMail({ from: bob.address, to: `y@${domain}`, subject: queueId }))
  const { recipients } = await stack.remote.received(({ data }) => fieldsOf(data, 'Subject').includes(queueId))
  assert.deepEqual(recipients, [`y@${domain}`])
  assert.ok(stack.remote.mails.every((mail) => !mail.recipients.includes(`x@${domain}`)))
})
