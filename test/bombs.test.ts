// Mails that are made to keep the virus check busy: they end, marked as not inspected, and other mail does not wait.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { mailWithAttachment, pack } from '@sekimori/testing/virus-mail'

const STRANGER = 'stranger@sender.example'
const BOMBS = 5
const MAILS = 5

/** A RAR 5 archive of one encrypted file, whose key takes 2^24 rounds: all the time that one mail may take. */
const SLOW = Buffer.from(
  'UmFyIRoHAQDFGjMyAwEAAGsl1lE2AgMlQARApIMCr2rNCwABAXgkAQAAGAcHBwcHBwcHBwcHBwcHBwcJCQkJCQkJCQkJCQkJCQkJ' +
    'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBARmyOjUDBQAA',
  'base64',
)

test('ordinary mail, with archives and without, does not wait for mails full of bombs', async () => {
  const stack = await sharedStack()
  const [victim, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const toVictim = { from: STRANGER, to: victim.address }
  const bombs: string[] = []
  for (let count = 0; count < BOMBS; count++)
    bombs.push(await stack.sendAsStranger(STRANGER, [victim.address], mailWithAttachment(toVictim, 'slow.rar', SLOW)))
  const letter = await pack('zip', 'letter.txt', Buffer.from('Hello.'))
  const toBob = { from: STRANGER, to: bob.address }
  for (let count = 0; count < MAILS; count++) {
    await stack.sendAsStranger(STRANGER, [bob.address], mailWithAttachment(toBob, 'letter.zip', letter))
    await stack.sendAsStranger(STRANGER, [bob.address], composeMail(toBob))
  }
  const mails = await stack.received(bob, 2 * MAILS, 60_000)
  const isUnderWay = (await Promise.all(bombs.map((queueId) => stack.trace(queueId)))).map((ends) => ends.length === 0)
  assert.ok(isUnderWay.includes(true), 'all bombs had ended before')
  for (const mail of mails) assert.match(fieldOf(mail, 'X-Virus-Status'), /^clean;/)
  const passed = await stack.received(victim, BOMBS, 120_000)
  for (const mail of passed) assert.match(fieldOf(mail, 'X-Virus-Status'), /^unscannable \(time\);/)
})

test('a small archive of something huge is delivered, marked as too large to inspect', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const bomb = await pack('bz2', 'zeros', await pack('gz', 'zeros', Buffer.alloc(200 * 1024 * 1024)))
  const mail = mailWithAttachment({ from: STRANGER, to: bob.address }, 'zeros.bz2', bomb)
  await stack.sendAsStranger(STRANGER, [bob.address], mail)
  const [passed] = await stack.received(bob, 1, 60_000)
  assert.match(fieldOf(passed!, 'X-Virus-Status'), /^unscannable \(size\);/)
})
