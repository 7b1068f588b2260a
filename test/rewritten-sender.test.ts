// Rewritten senders (SRS) of mail that was handed on: they bring bounces back to who sent it, and take nothing else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { rewrittenSender } from '@sekimori/testing/rewritten-sender'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { DOMAIN, type Stack } from '@sekimori/testing/stack'
import { forward } from '@sekimori/testing/stack-addresses'

const SENDER = 'stranger@sender.example'

/** What the remote server got for this address, once it has. */
const arrived = (stack: Stack, address: string) =>
  stack.remote.received(({ recipients }) => recipients.includes(address))

const countAt = (stack: Stack, address: string) =>
  stack.remote.mails.filter(({ recipients }) => recipients.includes(address)).length

test('S2-03 a bounce to a rewritten sender comes back to who sent the mail, as a bounce', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const [target, home] = [`bob@${stack.createRemoteDomain()}`, stack.createRemoteDomain()]
  await forward(stack, bob, [target])
  const sender = `Anna.B@${home}`
  await stack.sendAsStranger(sender, [bob.address], composeMail({ from: sender, to: bob.address }))
  const { mailFrom } = await arrived(stack, target)
  await stack.sendAsStranger('', [mailFrom], composeMail({ from: 'mailer-daemon@elsewhere.example', to: mailFrom }))
  const bounce = await arrived(stack, sender)
  assert.equal(bounce.mailFrom, '')
})

test('S2-03 a sender too long for a rewritten address gets a short one, which takes bounces and nothing else', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const [target, home] = [`bob@${stack.createRemoteDomain()}`, stack.createRemoteDomain()]
  await forward(stack, bob, [target])
  const sender = `bounces+4711-somebody=their-domain.example@${home}`
  await stack.sendAsStranger(sender, [bob.address], composeMail({ from: sender, to: bob.address }))
  const { mailFrom } = await arrived(stack, target)
  assert.match(mailFrom, new RegExp(`^SRS0=[^@]{1,59}@${DOMAIN}$`))
  const replyTo = async (reversePath: string, recipient: string) => {
    await using smtp = await stack.dialMx()
    await smtp.say(`MAIL FROM:<${reversePath}>`, 250)
    const { code, enhanced } = await smtp.say(`RCPT TO:<${recipient}>`)
    return `${code} ${enhanced}`
  }
  assert.equal(await replyTo(SENDER, mailFrom), '550 5.7.1')
  const forged = mailFrom.replace(/.(?=@)/, (last) => (last === 'a' ? 'b' : 'a'))
  assert.equal(await replyTo('', forged), '550 5.7.1')
  await stack.sendAsStranger('', [mailFrom], composeMail({ from: 'mailer-daemon@elsewhere.example', to: mailFrom }))
  assert.equal((await arrived(stack, sender)).mailFrom, '')
})

test('S2-03 a sender that others have rewritten before leads bounces to the first of them, however often', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const [target, first] = [`bob@${stack.createRemoteDomain()}`, stack.createRemoteDomain()]
  await forward(stack, bob, [target])
  const rest = 'HHHH=TT=orig.example=Joe.Q'
  const wrapped = new RegExp(`^SRS1=\\w{8}=${first}==${rest}@${DOMAIN}$`)
  for (const sender of [`SRS0=${rest}@${first}`, `SRS1=GGGG=${first}==${rest}@second.example`]) {
    const before = countAt(stack, target)
    await stack.sendAsStranger(sender, [bob.address], composeMail({ from: SENDER, to: bob.address }))
    await eventually(() => countAt(stack, target) > before)
    const { mailFrom } = stack.remote.mails.filter(({ recipients }) => recipients.includes(target)).at(-1)!
    assert.match(mailFrom, wrapped)
    await stack.sendAsStranger('', [mailFrom], composeMail({ from: 'mailer-daemon@elsewhere.example', to: mailFrom }))
  }
  const home = `SRS0=${rest}@${first}`
  await eventually(() => countAt(stack, home) === 2)
  await using smtp = await stack.dialMx()
  await smtp.say('MAIL FROM:<>', 250)
  const forged = await smtp.say(`RCPT TO:<SRS1=aaaaaaaa=${first}==${rest}@${DOMAIN}>`)
  assert.equal(`${forged.code} ${forged.enhanced}`, '550 5.7.1')
})

test('S2-03 rewritten senders that are forged or expired, or that get other mail than bounces, are refused', async () => {
  const stack = await sharedStack()
  const victim = `victim@${stack.createRemoteDomain()}`
  const own = rewrittenSender(stack, victim, 1)
  await using smtp = await stack.dialMx()
  const answer = async (mailFrom: string, recipient: string) => {
    await smtp.say(`MAIL FROM:<${mailFrom}>`, 250)
    const { code, enhanced } = await smtp.say(`RCPT TO:<${recipient}>`)
    await smtp.say('RSET', 250)
    return `${code} ${enhanced}`
  }
  assert.match(await answer('', own), /^250/)
  assert.equal(await answer('', rewrittenSender(stack, victim, 1, 'guessed')), '550 5.7.1')
  assert.equal(await answer('', own.replace('=victim@', '=other@')), '550 5.7.1')
  assert.equal(await answer('', rewrittenSender(stack, victim, 60)), '550 5.7.1')
  assert.equal(await answer(SENDER, own), '550 5.7.1')
  assert.equal(countAt(stack, victim), 0)
})
