// Viruses in attachments: looked for inside of archives; what can not be looked into is delivered and says so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type ArchiveFile, archiveBy } from '@sekimori/testing/archive-file'
import { lzh } from '@sekimori/testing/lzh-archive'
import { composeMail, eicar, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { rar4, rar5 } from '@sekimori/testing/rar-archive'
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

/** Formats that Python does not write. */
const OTHERS: Record<string, (file: ArchiveFile) => Buffer | Promise<Buffer>> = {
  arj: (file) => archiveBy(file, 'a.arj', 'arj', 'a', '-y', 'a.arj', file.name),
  cab: (file) => archiveBy(file, 'a.cab', 'gcab', '-c', '-z', 'a.cab', file.name),
  '7z': (file) => archiveBy(file, 'a.7z', '7zz', 'a', 'a.7z', file.name),
  lzh: (file) => lzh([file]),
  rar: (file) => rar4([file]),
  'new.rar': (file) => rar5([file]),
  exe: async (file) =>
    Buffer.concat([Buffer.from('MZ'), Buffer.alloc(5_000, 'stub '), await pack('zip', file.name, file.bytes)]),
}

test('S1-22 a virus packed twice by ARJ, CAB, 7z, LZH, RAR, and in a self-extracting program is found', async () => {
  const stack = await sharedStack()
  for (const [extension, archive] of Object.entries(OTHERS)) {
    const inner = await pack('bz2', 'invoice.com', FILE)
    const { queueId } = await receive(`invoice.${extension}`, await archive({ name: 'invoice.bz2', bytes: inner }))
    assert.match(String((await stack.quarantined(queueId))?.signature), /^Eicar/, extension)
  }
})

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

test('S1-15 a virus is found in a signed mail, behind long fields, and in a mail that is attached', async () => {
  const stack = await sharedStack()
  const signed = (to: string) =>
    mailWithAttachment({ from: FROM, to }, 'invoice.com', FILE)
      .toString('latin1')
      .replace('multipart/mixed', 'multipart/signed; micalg=sha-256; protocol="application/pkcs7-signature"')
  const mails: Record<string, (to: string) => string> = {
    signed,
    'behind long fields': (to) =>
      `DKIM-Signature: v=1;${'\r\n b=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w'.repeat(60)}\r\n${signed(to)}`,
    attached: (to) =>
      mailWithAttachment({ from: FROM, to }, 'mail.eml', Buffer.from(signed(to), 'latin1')).toString('latin1'),
  }
  for (const [name, make] of Object.entries(mails)) {
    const bob = await stack.createMailbox()
    const queueId = await stack.sendAsStranger(FROM, [bob.address], Buffer.from(make(bob.address), 'latin1'))
    const [mail] = await stack.received(bob, 1)
    assert.equal(subjectOf(mail!), 'ウイルス検知のお知らせ', name)
    const ends = await stack.trace(queueId)
    assert.ok(ends.length > 0, name)
    const { body } = await stack.api('GET', `/v1/messages?queueId=${queueId}`)
    const scan = body.items[0].history.find(({ stage }: { stage: string }) => stage === 'scan')
    assert.match(scan.outcome, /^infected \(Eicar-Test-Signature\S*\) by ClamAV [\d.]+/, name)
  }
})
