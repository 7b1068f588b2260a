// Archives for tests that are small and want to become large, many, or endless.
import { execFileSync } from 'node:child_process'
import { constants, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { rar5 } from '@sekimori/testing/rar-archive'
import { sevenZipArchive } from '../archive/sample-tools.ts'
import { deflated, type SampleEntry, stored, zipOf } from '../archive/sample-zip.ts'

const MEBIBYTE = 1024 * 1024
const zeros = Buffer.alloc(MEBIBYTE)

/** A DEFLATE stream of zeros. */
function deflatedZeros(mebibytes: number): Buffer {
  const piece = deflateRawSync(zeros, { finishFlush: constants.Z_FULL_FLUSH })
  return Buffer.concat([...Array<Buffer>(mebibytes).fill(piece), deflateRawSync(Buffer.alloc(0))])
}

function packedZeros(mebibytes: number, command: string, ...args: string[]): Buffer {
  return execFileSync(command, args, { input: Buffer.alloc(mebibytes * MEBIBYTE), maxBuffer: 64 * MEBIBYTE })
}

const header = Buffer.from('1f8b08000000000000ff', 'hex')

export const ratioGzip = (): Buffer => Buffer.concat([header, deflatedZeros(2_000), Buffer.alloc(8)])
export const ratioZip = (): Buffer =>
  zipOf([{ stream: deflatedZeros(2_000), says: { method: 8, packedBytes: 2_000_000, sizeBytes: 0xfffffff0 } }])
export const manyMembersGzip = (): Buffer =>
  Buffer.concat(Array<Buffer>(200).fill(gzipSync(Buffer.alloc(8 * MEBIBYTE))))
export const ratioXz = (): Buffer => Buffer.concat(Array<Buffer>(100).fill(packedZeros(8, 'xz', '-0')))
export const ratioBzip2 = (): Buffer => Buffer.concat(Array<Buffer>(100).fill(packedZeros(8, 'bzip2')))

export const ratioZstd = (): Buffer => zstdCompressSync(Buffer.alloc(200 * MEBIBYTE))
/** One block of LZMA for all files. */
export const solid7z = (): Buffer =>
  sevenZipArchive(...Array.from({ length: 10 }, (_, i) => ({ name: `${i}`, bytes: Buffer.alloc(2 * MEBIBYTE, i) })))

/** Many files that overlap: each stream begins with the headers of those behind it, quoted (D. Fifield, 2019). */
export function quotedOverlap(count: number): Buffer {
  const kernel = deflatedZeros(4)
  const locals: SampleEntry[] = []
  let stream = kernel
  let sizeBytes = 4 * MEBIBYTE
  for (let i = 0; i < count; i++) {
    const entry: SampleEntry = {
      name: `${i}`.padStart(3),
      stream,
      says: { method: 8, packedBytes: stream.length, sizeBytes },
    }
    locals.unshift(entry)
    const local = zipOf([{ ...entry, only: 'local' }]).subarray(0, 33)
    const quote = Buffer.from([0, local.length, 0, 0xff - local.length, 0xff])
    stream = Buffer.concat([quote, local, stream])
    sizeBytes += local.length
  }
  let at = 0
  const [first, ...rest] = locals
  const records = rest.map((entry) => {
    at += 38
    return { ...entry, stream: Buffer.alloc(0), only: 'directory' as const, directory: { offset: at } }
  })
  return zipOf([first!, ...records])
}

/** Says of itself that it is as long as a disk. */
export function hugeClaims(): Buffer {
  const says = { method: 8, packedBytes: 0xfffffff0, sizeBytes: 0xfffffff0 }
  return zipOf([
    { stream: deflatedZeros(1), says },
    { name: 'b', stream: Buffer.alloc(10), says: { ...says, method: 14 } },
  ])
}

/** GZIP in GZIP in GZIP, the innermost of zeros. */
export function recursiveGzip(depth: number): Buffer {
  let bytes = ratioGzip()
  for (let level = 0; level < depth; level++) bytes = gzipSync(bytes)
  return bytes
}

/** A million entries, all with local headers, none with a directory. */
export function millionEntries(): Buffer {
  const one = zipOf([stored(Buffer.from('x'), { name: 'x' })])
  const entry = one.subarray(0, one.indexOf('PK\x01\x02'))
  return Buffer.alloc(1_000_000 * entry.length, entry)
}

/** Each stored entry says that it is as long as all that follow it together. */
export function overlapping(count: number): Buffer {
  const oneBytes = 31
  const entries: SampleEntry[] = Array.from({ length: count }, (_, i) => {
    const restBytes = (count - i - 1) * oneBytes
    return stored(Buffer.alloc(0), { name: 'x', says: { packedBytes: restBytes, sizeBytes: restBytes } })
  })
  return zipOf(entries)
}

/** Archives of ten archives each, no two alike, the innermost of zeros. */
export function branching(depth: number, mark = ''): Buffer {
  if (depth === 0) return Buffer.concat([Buffer.from(mark), zeros.subarray(0, 256 * 1024)])
  return zipOf(Array.from({ length: 10 }, (_, i) => deflated(branching(depth - 1, `${mark}${i}`), { name: `${i}` })))
}

/** A file whose key takes 2^24 rounds. */
export function slowKey(): Buffer {
  return rar5([{ name: 'x', bytes: Buffer.alloc(64, 1) }], 'files', 24)
}

/** A GZIP file that holds itself (R. Cox, "Zip Files All The Way Down"); its check sum is wrong, which nobody minds. */
export function quine(): Buffer {
  const prefix = Buffer.concat([Buffer.from('1f8b08080000000000ff', 'hex'), Buffer.from('self\0')])
  const suffix = Buffer.alloc(8, 0x5a)
  const print = (sizeBytes: number) => Buffer.from([0, sizeBytes, 0, 0xff - sizeBytes, 0xff])
  const [L0, L1, L4] = [print(0), print(5), print(20)]
  const [LP, LS] = [print(prefix.length + 5), print(suffix.length + 5)]
  const R4 = repeat(20, [10, 10], false)
  const RS = repeat(13, [10, 3], true)
  return Buffer.concat([
    ...[prefix, LP, prefix, LP, R4, L1, R4, L1, L1, L4, R4, L1, L1, L4, R4, L4, R4, L4, R4, L4, R4],
    ...[L4, R4, L0, L0, LS, R4, L0, L0, LS, RS, suffix, RS, suffix],
  ])
}

/** A block that repeats what came `distance` octets before, in five octets (RFC 1951 section 3.2.6). */
function repeat(distance: 13 | 20, lengths: number[], isLast: boolean): Buffer {
  // Huffman codes go from their highest bit, other numbers from their lowest.
  const high = (value: number, bits: number) => value.toString(2).padStart(bits, '0')
  const low = (value: number, bits: number) => [...high(value, bits)].reverse().join('')
  const from = distance === 20 ? high(8, 5) + low(20 - 17, 3) : high(7, 5) + low(13 - 13, 2)
  const matches = lengths.map((length) => high(length - 2, 7) + from).join('')
  const bits = `${isLast ? 1 : 0}${low(1, 2)}${matches}${high(0, 7)}`.padEnd(40, '0')
  return Buffer.from(bits.match(/.{8}/g)!.map((octet) => Number.parseInt([...octet].reverse().join(''), 2)))
}
