import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lh5, lzh } from '@sekimori/testing/lzh-archive'
import { rar4, rar5 } from '@sekimori/testing/rar-archive'
import { ole, pdf, tnef } from './sample-documents.ts'
import * as tools from './sample-tools.ts'
import { MARKER, type SampleFile } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'
import { deflated, zipOf } from './sample-zip.ts'

/** Not compressible, so that cutting an archive anywhere cuts the file. */
const noise = Buffer.from(Array.from({ length: 400 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 13) & 0xff))
const file: SampleFile = { name: 'noise.bin', bytes: noise }

const samples: Record<string, Buffer> = {
  zip: zipOf([deflated(noise)]),
  arj: tools.arj(file),
  lzh: lzh([file]),
  cab: tools.cab(file),
  'stored cab': tools.storedCab(file),
  'rar 4': rar4([file]),
  'rar 5': rar5([file]),
  '7z': tools.sevenZipArchive(file),
  tar: tools.tar(file),
  gzip: tools.gzip(file),
  bzip2: tools.bzip2(file),
  xz: tools.xz(file),
  lzma: tools.lzma(file),
  tnef: tnef(noise),
}
/** So many octets of each format say what it is. */
const MAGIC_BYTES: Record<string, number> = {
  tar: 512,
  lzma: 14,

  xz: 6,
  bzip2: 5,
  gzip: 11,
  lzh: 22,
  arj: 4,
  'rar 4': 21,
}

for (const [format, whole] of Object.entries(samples))
  test(`${format}, cut at every tenth octet: the file is found or damage is`, () => {
    for (let length = MAGIC_BYTES[format] ?? 10; length < whole.length; length += 10) {
      const findings = findingsIn(whole.subarray(0, length))
      const isFound = findings.some((finding) => finding.kind === 'leaf' && finding.bytes.equals(noise))
      assert.ok(
        isFound || reasonsIn(findings).includes('damaged'),
        `${length} of ${whole.length}: ${JSON.stringify(findings)}`,
      )
    }
  })

test('a cut archive is handed out as it is when it was inside another', () => {
  const cut = samples['rar 5']!.subarray(0, 200)
  const findings = findingsIn(rar4([{ name: 'cut', bytes: cut }]))
  assert.ok(findings.some((finding) => finding.kind === 'leaf' && finding.bytes.equals(cut)))
})

test('an archive behind a damaged one is found', () => {
  for (const format of Object.keys(samples)) {
    const spoiled = Buffer.from(samples[format]!)
    spoiled.fill(0x55, spoiled.length >> 1)
    const findings = findingsIn(Buffer.concat([spoiled, rar5([{ name: 'marker', bytes: MARKER }])]))
    assert.ok(markersIn(findings).length > 0, format)
  }
})

test('archives that no program here opens are said to be there', () => {
  const archives = ['xxxxxxx**ACE**', 'ALZ\x01', 'SIT!', 'LZIP\x01', 'RE~^', 'EGGA']
  const images = ['conectix', 'vhdxfile', 'KDMV', '!BDN']
  const texts = [...archives, ...images].map((text) => text.padEnd(100, '.'))
  texts.push(`${'sectors.'.repeat(200)}${'conectix'.padEnd(512, '.')}`)
  for (const text of texts)
    assert.deepEqual(reasonsIn(findingsIn(Buffer.from(text, 'latin1'))), ['damaged'], text.slice(0, 10))
})

test('thousands of mutations: each walk ends, and only in ways that are known', { timeout: 120_000 }, () => {
  const seeds = [...Object.values(samples), lh5, ole({ Workbook: MARKER }), pdf('/Encrypt 1 0 R')]
  let state = 20_261_122
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  for (let round = 0; round < 2_000; round++) {
    const bytes = Buffer.from(seeds[round % seeds.length]!)
    const special = [0, 0xff, 0x7f, 0x80, random(256)]
    for (let count = 1 + random(4); count > 0; count--)
      bytes[random(random(2) ? 64 : bytes.length)] = special[random(5)]!
    const findings = findingsIn(bytes, { cpuMs: 5_000 })
    const unknown = findings.filter(
      (finding) => finding.kind === 'unscannable' && finding.detail.startsWith('reader failed'),
    )
    assert.deepEqual(unknown, [], bytes.toString('base64'))
  }
})
