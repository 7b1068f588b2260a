import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { rar5 } from '@sekimori/testing/rar-archive'
import { slowKey } from '../testing/sample-bombs.ts'
import { openArchiveWalker } from './archive-walker.ts'
import type { Finding } from './finding.ts'
import { MARKER, markerFile, sevenZipArchive, zip } from './sample-tools.ts'
import { markersIn, reasonsIn } from './sample-walk.ts'
import { stored, zipOf } from './sample-zip.ts'

const patience = { cpuMs: 60_000, timeMs: 120_000 }
/** Much more than the quick lane allows. */
const impatience = { cpuMs: 1_500, timeMs: 120_000 }

async function all(findings: AsyncIterable<Finding>): Promise<Finding[]> {
  return Array.fromAsync(findings)
}

test('attachments are walked in threads: what is inside comes out, and what is no archive does not', async () => {
  await using walker = await openArchiveWalker({ threads: 2 })
  const samples = [zip(markerFile), sevenZipArchive(markerFile), rar5([markerFile])]
  const walks = await Promise.all(samples.map((bytes) => all(walker.mail(patience).walk(bytes))))
  for (const findings of walks) assert.deepEqual([markersIn(findings).length, reasonsIn(findings)], [1, []])
  assert.deepEqual(await all(walker.mail().walk(MARKER)), [])
  assert.deepEqual(await all(walker.mail().walk(Buffer.alloc(0))), [])
})

test('a long file arrives whole, and can be written to a socket', async () => {
  const long = Buffer.alloc(5_000_000, 'long content ')
  await using walker = await openArchiveWalker({ threads: 1 })
  const [finding] = await all(walker.mail(patience).walk(sevenZipArchive({ name: 'long', bytes: long })))
  assert.ok(finding?.kind === 'leaf' && finding.bytes.equals(long))
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  socket.end(finding.bytes)
  const echoed = Buffer.concat(await Array.fromAsync(socket))
  server.close()
  assert.ok(echoed.equals(long))
})

test('all attachments of a mail share its limits', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  const archive = zipOf(['a', 'b'].map((text) => stored(Buffer.from(text), { name: text })))
  const mail = walker.mail({ ...patience, files: 3 })
  assert.deepEqual(reasonsIn(await all(mail.walk(archive))), [])
  assert.deepEqual(reasonsIn(await all(mail.walk(archive))), ['size'])
  assert.deepEqual(reasonsIn(await all(walker.mail({ ...patience, files: 3 }).walk(archive))), [])
})

test('who leaves the loop leaves the thread to others', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  const archive = zipOf(Array.from({ length: 5_000 }, (_, i) => stored(Buffer.from(`file ${i}`), { name: `${i}` })))
  for (let mail = 0; mail < 5; mail++) {
    for await (const finding of walker.mail(patience).walk(archive)) {
      assert.equal(finding.kind, 'leaf')
      break
    }
  }
  assert.equal(markersIn(await all(walker.mail(patience).walk(zip(markerFile)))).length, 1)
})

test('mails full of bombs do not delay others, and end', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  let bombsLeft = 3
  const bomb = async () => {
    const findings = await all(walker.mail(impatience).walk(slowKey()))
    assert.deepEqual(reasonsIn(findings), ['time'])
    bombsLeft--
  }
  const bombs = Array.from({ length: bombsLeft }, bomb)
  const archive = zip(markerFile)
  for (let mail = 0; mail < 5; mail++) assert.equal(markersIn(await all(walker.mail(patience).walk(archive))).length, 1)
  assert.ok(bombsLeft > 0, 'the bombs went first')
  await Promise.all(bombs)
})

test('what was found before a walk was tried again is not told twice', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  const files = Array.from({ length: 20 }, (_, i) => stored(Buffer.from(`file ${i}`), { name: `${i}` }))
  const archive = zipOf([...files, stored(slowKey(), { name: 'slow' })])
  const walks = await Promise.all([1, 2].map(() => all(walker.mail(impatience).walk(archive))))
  for (const findings of walks) {
    const texts = findings.flatMap((finding) => (finding.kind === 'leaf' ? [finding.bytes.toString()] : []))
    assert.deepEqual(
      texts.slice(0, 20),
      files.map((_, i) => `file ${i}`),
    )
    assert.equal(new Set(texts).size, texts.length)
    assert.deepEqual(reasonsIn(findings), ['time'])
  }
})
