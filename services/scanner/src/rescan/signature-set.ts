// Which signatures are in force: what the newest clamd says of the official ones, and a digest of an operator's own files,
// of which clamd says nothing.
import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineStatus } from '@sekimori/store/signature-status'

export interface SignatureSet {
  /** As clamd says it: the one to scan with. */
  version: string
  /** The version, and what stands for the files that have none. */
  text: string
}

/** What freshclam brings is in clamd's version. */
const OFFICIAL = /\.(cvd|cld|cud)$|^freshclam|\.partial$|^\./
const DIGEST_LETTERS = 12

/** The newest signatures of a clamd that is fit; undefined while none is. */
export async function signaturesInForce(engines: EngineStatus[], directory: string): Promise<SignatureSet | undefined> {
  const newest = engines
    .filter(({ fault, version }) => fault === undefined && version !== undefined)
    .toSorted((a, b) => timeOf(b) - timeOf(a) || b.version!.localeCompare(a.version!))[0]
  if (newest === undefined) return undefined
  const version = newest.version!
  return { version, text: directory === '' ? version : `${version} + files ${await digestOf(directory)}` }
}

function timeOf({ signaturesAt }: EngineStatus): number {
  return signaturesAt?.getTime() ?? 0
}

async function digestOf(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => !OFFICIAL.test(name)).sort()
  const digest = createHash('sha256')
  for (const name of names) {
    const { size, mtimeMs } = await stat(join(directory, name))
    digest.update(`${name} ${size} ${mtimeMs}\n`)
  }
  return digest.digest('hex').slice(0, DIGEST_LETTERS)
}

/** Since when the set is the same, so that each clamd has had the time to take it up. */
export class Settling {
  #text = ''
  #since = 0

  /** How long this set has been the one in force, at `now`. */
  age({ text }: SignatureSet, now: number): number {
    if (text !== this.#text) [this.#text, this.#since] = [text, now]
    return now - this.#since
  }
}
