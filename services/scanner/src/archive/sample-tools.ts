// Archives for tests, made by the system's archivers.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Octets that no archiver makes by itself; compressible. */
export const MARKER: Buffer = Buffer.from('harmless marker, to be found at every depth 0123456789\n'.repeat(6))

export interface SampleFile {
  name: string
  bytes: Buffer
}

export const markerFile: SampleFile = { name: 'marker.txt', bytes: MARKER }

/** Runs an archiver in a directory that holds the files, and returns what it wrote to `output`. */
export function archived(files: SampleFile[], output: string, command: string, ...args: string[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'sekimori-archive-'))
  try {
    for (const { name, bytes } of files) writeFileSync(join(directory, name), bytes)
    execFileSync(command, args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
    return readFileSync(join(directory, output))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Archives the files by a command that takes their names behind its own arguments. */
function by(output: string, command: string, ...args: string[]) {
  return (...files: SampleFile[]) => archived(files, output, command, ...args, ...files.map(({ name }) => name))
}

/** Packs one file in place, as gzip does. */
function packedBy(extension: string, command: string, ...args: string[]) {
  return (file: SampleFile) => archived([file], `${file.name}.${extension}`, command, ...args, file.name)
}

export const zip = by('a.zip', 'zip', '-q', 'a.zip')
export const storedZip = by('a.zip', 'zip', '-q', '-0', 'a.zip')
export const arj = by('a.arj', 'arj', 'a', '-y', 'a.arj')
export const cab = by('a.cab', 'gcab', '-c', '-z', 'a.cab')
export const storedCab = by('a.cab', 'gcab', '-c', 'a.cab')
export const sevenZipArchive = by('a.7z', '7zz', 'a', 'a.7z')
export const tar = by('a.tar', 'tar', '--format=gnu', '-cf', 'a.tar')
export const oldTar = by('a.tar', 'tar', '--format=v7', '-cf', 'a.tar')
export const paxTar = by('a.tar', 'tar', '--format=pax', '-cf', 'a.tar')
export const gzip = packedBy('gz', 'gzip')
export const bzip2 = packedBy('bz2', 'bzip2')
export const xz = packedBy('xz', 'xz')
export const lzma = packedBy('lzma', 'xz', '--format=lzma')
export const wim = by('a.wim', '7zz', 'a', 'a.wim')

/** 7-Zip's own encryption or ZIP's, by its options. */
export function encryptedBy7Zip(output: string, ...options: string[]): Buffer {
  return archived([markerFile], output, '7zz', 'a', '-psecret', ...options, output, markerFile.name)
}

export function zipWithMethod(method: string): Buffer {
  return archived([markerFile], 'a.zip', '7zz', 'a', `-mm=${method}`, 'a.zip', markerFile.name)
}

export function garbledArj(): Buffer {
  return archived([markerFile], 'a.arj', 'arj', 'a', '-y', '-gsecret', 'a.arj', markerFile.name)
}
