// What a mail with a bomb costs: the whole check by the limits of production, processor time of scanner and clamd.
import { mailWithAttachment } from '@sekimori/testing/virus-mail'
import { defaultLimits } from '../archive/finding.ts'
import { zip } from '../archive/sample-tools.ts'
import { describe } from '../verdict.ts'
import { type Cost, costOf } from './cost.ts'
import { openRealEngine } from './real-engine.ts'
import * as bombs from './sample-bombs.ts'

const samples: Record<string, () => Buffer> = {
  'GZIP of 2 GB': bombs.ratioGzip,
  'ZIP of 2 GB': bombs.ratioZip,
  'GZIP of many members': bombs.manyMembersGzip,
  'XZ of 800 MB': bombs.ratioXz,
  'BZIP2 of 800 MB': bombs.ratioBzip2,
  'ZSTD of 200 MB': bombs.ratioZstd,
  'solid 7z of 20 MB': bombs.solid7z,
  'GZIP in GZIP, five times': () => bombs.recursiveGzip(5),
  'ZIP of a million entries': bombs.millionEntries,
  'the same, packed': () => zip({ name: 'x.bin', bytes: bombs.millionEntries() }),
  'entries that overlap': () => bombs.overlapping(5_000),
  'entries that quote one another': () => bombs.quotedOverlap(250),
  'a thousand files in nested ZIP': () => bombs.branching(3),
  'a key of 2^24 rounds': bombs.slowKey,
  'lengths that lie': bombs.hugeClaims,
  'an archive that holds itself': bombs.quine,
}

export interface BombCost extends Cost {
  name: string
  sizeBytes: number
  verdict: string
}

/** One bomb after the other; the dearest of so many rounds counts. */
export async function* bombCosts(address: string, clamdPid: number, rounds: number): AsyncGenerator<BombCost> {
  await using engine = await openRealEngine(defaultLimits, address)
  const warmUp = mailWithAttachment({ from: 'a@a.example', to: 'b@b.example' }, 'x.zip', bombs.branching(1))
  await engine.scan(warmUp)
  for (const [name, make] of Object.entries(samples)) {
    const bomb = make()
    const costs: BombCost[] = []
    for (let round = 0; round < rounds; round++) {
      const mail = mailWithAttachment({ from: 'a@a.example', to: 'b@b.example' }, 'x.bin', bomb)
      let verdict = ''
      const cost = await costOf(clamdPid, async () => {
        verdict = describe((await engine.scan(mail)).verdict)
      })
      costs.push({ ...cost, name, sizeBytes: mail.length, verdict })
    }
    yield costs.toSorted((a, b) => b.ownCpuMs + b.clamdCpuMs - a.ownCpuMs - a.clamdCpuMs)[0]!
  }
}
