// Viruses in attachments: looked for inside of archives; what can not be looked into is delivered and says so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { composeMail, eicar, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox } from '@sekimori/testing/stack'
import { mailWithAttachment, type Packing, pack } from '@sekimori/testing/virus-mail'

const FROM = 'x@sender.example'
const FILE = Buffer.from(eicar())
const PACKINGS: Packing[] = ['zip', 'tar', 'tar.gz', 'tar.bz2', 'gz', 'bz2']

/** Sends the file from outside; resolves to the queue id, the recipient, and the one mail that he gets. */
async function receive(name: string, file: Buffer): Promise<{ queueId: string; bob: Mailbox; mail: Buffer }> {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const queueId = await stack.sendAsStranger(
    FROM,
    [bob.address],
    mailWithAttachment({ from: FROM, to: bob.address }, name, file),
  )
  const [mail] = await stack.received(bob, 1)
  return { queueId, bob, mail: mail! }
}

async function assertStopped(name: string, file: Buffer): Promise<void> {
  const stack = await sharedStack()
  const { queueId, mail } = await receive(name, file)
  assert.equal(subjectOf(mail), 'ウイルス検知のお知らせ')
  assert.ok(await stack.quarantined(queueId))
}

test('S1-15 a virus in a base64 attachment is found', async () => {
  await assertStopped('invoice.com', FILE)
})

test('S1-15 a virus in quoted-printable and in an HTML part is found', async () => {
  const stack = await sharedStack()
  const encoded = eicar().replaceAll('=', '=3D').replace('EICAR', '=45ICAR').replace('-TEST-', '=\r\n-TEST-')
  const parts: [string[], string][] = [
    [['Content-Type: text/plain', 'Content-Transfer-Encoding: quoted-printable'], encoded],
    [['Content-Type: text/html; charset=utf-8'], `<html><body><p>${eicar()}</p></body></html>`],
  ]
  for (const [headers, text] of parts) {
    const bob = await stack.createMailbox()
    const mail = composeMail({
      from: FROM,
      to: bob.address,
      headers: ['MIME-Version: 1.0', ...headers],
      body: `${text}\r\n`,
    })
    const queueId = await stack.sendAsStranger(FROM, [bob.address], mail)
    await stack.received(bob, 1)
    assert.ok(await stack.quarantined(queueId), headers.join())
  }
})

for (const packing of PACKINGS) {
  test(`S1-22 a virus inside of .${packing} is found, and a clean file in it gets through`, async () => {
    await assertStopped(`invoice.${packing}`, await pack(packing, 'invoice.com', FILE))
    const { mail } = await receive(`film.${packing}`, await pack(packing, 'film.bin', randomBytes(50_000)))
    assert.match(fieldOf(mail, 'X-Virus-Status'), /^clean;/)
  })
}

test('S1-22 S1-23 a virus seven archives deep is found, also through different kinds of them', async () => {
  let zips: Buffer = FILE
  for (let level = 1; level <= 7; level++) zips = await pack('zip', `level-${level}`, zips)
  await assertStopped('seven.zip', zips)
  let mixed: Buffer = FILE
  for (const packing of ['zip', 'gz', 'tar', 'bz2', 'zip', 'tar.gz', 'tar'] as const)
    mixed = await pack(packing, 'inner', mixed)
  await assertStopped('mixed.tar', mixed)
})

test('S1-24 an archive with a password is not blocked, and the header says that it could not be inspected', async () => {
  const { mail } = await receive('secret.zip', sealed(await pack('zip', 'letter.txt', randomBytes(2_000))))
  assert.match(fieldOf(mail, 'X-Virus-Status'), /^unscannable \(encrypted\);/)
})

/** The zip with its entries marked as encrypted (APPNOTE 4.4.4, bit 0): without the password nobody can read them. */
function sealed(zip: Buffer): Buffer {
  const marked = Buffer.from(zip)
  for (const [signature, flags] of [
    ['PK\x03\x04', 6],
    ['PK\x01\x02', 8],
  ] as const) {
    for (let at = marked.indexOf(signature, 0, 'latin1'); at >= 0; at = marked.indexOf(signature, at + 4, 'latin1'))
      marked[at + flags]! |= 1
  }
  return marked
}
