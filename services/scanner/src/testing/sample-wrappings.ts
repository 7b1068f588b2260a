// How one file is put into an archive of each format, for tests.
import { zstdCompressSync } from 'node:zlib'
import { lzh } from '@sekimori/testing/lzh-archive'
import { rar4, rar5 } from '@sekimori/testing/rar-archive'
import { ar, cpio, iso } from '../archive/sample-containers.ts'
import type { SampleFile } from '../archive/sample-tools.ts'
import * as tools from '../archive/sample-tools.ts'

const decoy: SampleFile = { name: 'decoy.txt', bytes: Buffer.from('something else') }

/** Those that can hold several files hold another as well. */
export const wrappings: Record<string, (file: SampleFile) => Buffer> = {
  zip: (file) => tools.zip(decoy, file),
  'stored zip': (file) => tools.storedZip(decoy, file),
  arj: (file) => tools.arj(decoy, file),
  'lzh -lh0-': (file) => lzh([decoy, file]),
  'lzh -lh0-, level 1': (file) => lzh([decoy, file], 1),
  cab: (file) => tools.cab(decoy, file),
  'stored cab': (file) => tools.storedCab(decoy, file),
  'rar 4': (file) => rar4([decoy, file]),
  'rar 5': (file) => rar5([decoy, file]),
  '7z': (file) => tools.sevenZipArchive(decoy, file),
  tar: (file) => tools.tar(decoy, file),
  'old tar': (file) => tools.oldTar(decoy, file),
  'pax tar': (file) => tools.paxTar(decoy, file),
  gzip: tools.gzip,
  bzip2: tools.bzip2,
  xz: tools.xz,
  lzma: tools.lzma,
  wim: (file) => tools.wim(decoy, file),
  iso,
  cpio,
  ar,
  zstd: ({ bytes }) => zstdCompressSync(bytes),
}

const STUB = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(4_999, 'the code that unpacks ')])

/** A program that unpacks itself: its code, and the archives behind. */
export function behindStub(...archives: Buffer[]): Buffer {
  return Buffer.concat([STUB, ...archives])
}
