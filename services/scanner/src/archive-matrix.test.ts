// The whole check, with the real clamd, of viruses in archives: each format at each depth, and mixed; of what can't be
// looked into; and of archives in places where they are not expected.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eicar } from '@sekimori/testing/mail-text'
import type { SampleFile } from './archive/sample-tools.ts'
import { attached, attachedText, wrapped } from './testing/attached.ts'
import { openRealEngine, type RealEngine } from './testing/real-engine.ts'
import { encrypted } from './testing/sample-encrypted.ts'
import { behindStub, wrappings } from './testing/sample-wrappings.ts'
import { describe } from './verdict.ts'

const DEEPEST = 9
const AT_A_TIME = 4
type Wrap = (file: SampleFile) => Buffer

/** Not asked for, and opened all the same. */
const MORE = new Set(['old tar', 'pax tar', 'xz', 'lzma', 'wim', 'iso', 'cpio', 'ar', 'zstd'])

const all: Record<string, Wrap> = {
  ...wrappings,
  'program with a zip': (file) => behindStub(wrappings.zip!(file)),
  'program with a 7z': (file) => behindStub(wrappings['7z']!(file)),
  'program with a rar': (file) => behindStub(wrappings['rar 5']!(file)),
}

const mailWith = (bytes: Buffer) => attached('', wrapped(bytes.toString('base64'), 76)).mail

async function verdictOn(engine: RealEngine, bytes: Buffer): Promise<string> {
  return describe((await engine.scan(mailWith(bytes))).verdict)
}

/** Several at a time: while one waits for clamd, another is unpacked. */
async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items]
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
}

test(`S1-22 S1-23 a virus is found in each format at each depth from 1 to ${DEEPEST}`, async () => {
  await using engine = await openRealEngine()
  const missed: string[] = []
  const asked = Object.entries(all).filter(([format]) => !MORE.has(format))
  await forEach(asked, async ([format, wrap]) => {
    let bytes: Buffer = Buffer.from(eicar())
    for (let depth = 1; depth <= DEEPEST; depth++) {
      bytes = wrap({ name: `level-${depth}.bin`, bytes })
      const verdict = await verdictOn(engine, bytes)
      if (!verdict.startsWith('infected')) missed.push(`${format}, ${depth} deep: ${verdict}`)
    }
  })
  assert.deepEqual(missed, [])
})

test(`S1-22 S1-23 a virus is found in archives of all formats within one another, and without it they are clean`, async () => {
  await using engine = await openRealEngine()
  const formats = Object.entries(all)
  const wrong: string[] = []
  for (const [file, expected, step] of [
    [eicar(), 'infected', 2],
    ['harmless', 'clean', 6],
  ] as const)
    await forEach(
      [...formats.keys()].filter((start) => start % step === 0),
      async (start) => {
        const names: string[] = []
        let bytes: Buffer = Buffer.from(file)
        for (let level = 0; level < 7 + (start % 3); level++) {
          const [name, wrap] = formats[(start + level * 7) % formats.length]!
          names.unshift(name)
          bytes = wrap({ name: 'x.bin', bytes })
        }
        const verdict = await verdictOn(engine, bytes)
        if (!verdict.startsWith(expected)) wrong.push(`${names.join(' > ')}: ${verdict}`)
      },
    )
  assert.deepEqual(wrong, [])
})

test('S1-24 what has a password is neither clean nor infected, whatever kind of file it is', async () => {
  await using engine = await openRealEngine()
  const wrong: string[] = []
  await forEach(Object.entries(encrypted), async ([name, bytes]) => {
    for (const file of [bytes, wrappings.zip!({ name: 'x', bytes })]) {
      const verdict = await verdictOn(engine, file)
      if (verdict !== 'unscannable (encrypted)') wrong.push(`${name}: ${verdict}`)
    }
  })
  assert.deepEqual(wrong, [])
})

test('deeper than the setting allows is said, but not above seven levels', async () => {
  await using engine = await openRealEngine({ depth: 7 })
  // clamd can't open RAR, nor see what is packed inside of what is stored there.
  let bytes = wrappings.lzma!({ name: 'x', bytes: Buffer.from(eicar()) })
  for (let depth = 2; depth <= 8; depth++) {
    bytes = wrappings['rar 5']!({ name: 'x', bytes })
    assert.match(await verdictOn(engine, bytes), depth <= 7 ? /^infected/ : /^unscannable \(depth\)$/)
  }
})

test('a virus is found in a mail in an archive, and in an archive in that mail', async () => {
  await using engine = await openRealEngine()
  const virus = wrapped(Buffer.from(eicar()).toString('base64'), 20, ' \r\n')
  const inner = wrapped(wrappings['rar 5']!({ name: 'x', bytes: Buffer.from(eicar()) }).toString('base64'), 76)
  for (const file of [virus, inner]) {
    const bytes = Buffer.from(attachedText(file), 'latin1')
    assert.match(await verdictOn(engine, wrappings['7z']!({ name: 'mail.eml', bytes })), /^infected/)
  }
})
