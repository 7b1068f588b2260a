import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as bombs from '../testing/sample-bombs.ts'
import { type ArchiveWalker, openArchiveWalker } from './archive-walker.ts'
import { defaultLimits, type Finding } from './finding.ts'
import { markerFile, zip } from './sample-tools.ts'
import { findingsIn, reasonsIn } from './sample-walk.ts'

const MEBIBYTE = 1024 * 1024
/** The thread's start and the test itself are not the mail's. */
const OTHER_CPU_MS = 800

interface Cost {
  findings: Finding[]
  cpuMs: number
  memoryBytes: number
}

async function costOf(walker: ArchiveWalker, bomb: Buffer): Promise<Cost> {
  // The thread is there already.
  assert.equal((await Array.fromAsync(walker.mail().walk(zip(markerFile)))).length, 1)
  const memory = { before: process.memoryUsage().rss, most: 0 }
  const watch = setInterval(() => {
    memory.most = Math.max(memory.most, process.memoryUsage().rss)
  }, 5)
  const before = process.cpuUsage()
  const findings = await Array.fromAsync(walker.mail({ timeMs: 120_000 }).walk(bomb))
  const { user, system } = process.cpuUsage(before)
  clearInterval(watch)
  return { findings, cpuMs: (user + system) / 1_000, memoryBytes: memory.most - memory.before }
}

const samples: Record<string, () => Buffer> = {
  'a GZIP file of 2 GB': bombs.ratioGzip,
  'a ZIP file of 2 GB': bombs.ratioZip,
  'a GZIP file of many members': bombs.manyMembersGzip,
  'an XZ file of many streams': bombs.ratioXz,
  'a BZIP2 file of many streams': bombs.ratioBzip2,
  'a ZSTD file of 200 MB': bombs.ratioZstd,
  'a solid 7z file': bombs.solid7z,
  'GZIP in GZIP': () => bombs.recursiveGzip(5),
  'a million files': bombs.millionEntries,

  'entries that overlap': () => bombs.overlapping(5_000),
  'archives of archives of archives': () => bombs.branching(3),
  'a key that takes 2^24 rounds': bombs.slowKey,
}

test('a bomb takes at most 2 s of processor time and 256 MiB, and it is said that not all was looked at', async (t) => {
  await using walker = await openArchiveWalker({ threads: 1 })
  for (const [name, make] of Object.entries(samples))
    await t.test(name, async () => {
      const bomb = make()
      const { findings, cpuMs, memoryBytes } = await costOf(walker, bomb)
      const reasons = reasonsIn(findings)
      assert.ok(reasons.includes('size') || reasons.includes('time'), `${reasons}`)
      assert.ok(cpuMs < defaultLimits.cpuMs + OTHER_CPU_MS, `${cpuMs} ms`)
      assert.ok(memoryBytes < 256 * MEBIBYTE, `${memoryBytes / MEBIBYTE} MiB`)
      const sizes = findings.map((finding) => (finding.kind === 'leaf' ? finding.bytes.length : 0))
      // Of a file that is too long, the beginning is handed out.
      if (/of 2 GB$/.test(name)) assert.ok(sizes.some((size) => size > MEBIBYTE))
      // Whatever comes out is scanned, which costs as well.
      const mostBytes = Math.min(defaultLimits.outputBytes, Math.max(16 * MEBIBYTE, 100 * bomb.length))
      assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= mostBytes)
    })
})

test('headers that lie, of lengths and of streams that quote one another, cost no more', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  for (const bomb of [bombs.hugeClaims(), bombs.quotedOverlap(250)]) {
    const { findings, cpuMs, memoryBytes } = await costOf(walker, bomb)
    assert.ok(reasonsIn(findings).length > 0)
    assert.ok(cpuMs < defaultLimits.cpuMs + OTHER_CPU_MS, `${cpuMs} ms`)
    assert.ok(memoryBytes < 256 * MEBIBYTE, `${memoryBytes / MEBIBYTE} MiB`)
  }
})

test('a file that holds itself is looked at once', () => {
  assert.deepEqual(findingsIn(bombs.quine()), [])
})
