// What the whole check of an ordinary mail costs beside one bare INSTREAM round trip to clamd: rounds of the one and of
// the other in turn, on unique mails, so that other work on the machine raises both.
import { randomBytes } from 'node:crypto'
import { askClamd, clamdAddress } from '../clamd.ts'
import { type Cost, costOf } from './cost.ts'
import { once, openRealEngine } from './real-engine.ts'

const MAILS_OF_ROUND = 100
const WARM_UP_ROUNDS = 5

const text = (sizeBytes: number) =>
  randomBytes(sizeBytes).toString('hex').slice(0, sizeBytes).replace(/.{7}/g, '$& ').replace(/.{72}/g, '$&\r\n')
const HEAD = 'Received: from a.example by b.example\r\nFrom: a@a.example\r\nTo: b@b.example\r\nSubject: hello\r\n'

const kinds: Record<string, () => string> = {
  'plain text, 4 KB': () => `${HEAD}MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n${text(3_900)}`,
  'text and HTML, 4 KB': () =>
    `${HEAD}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n` +
    `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text(1_500)}\r\n` +
    `--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>${text(2_000)}</p></body></html>\r\n--b--\r\n`,
  'picture attached, 50 KB': () =>
    `${HEAD}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n` +
    `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text(1_000)}\r\n` +
    `--b\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
    `${randomBytes(36_000).toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n--b--\r\n`,
}

/** Means of one mail. */
export interface ScanCost {
  name: string
  bare: Cost
  whole: Cost
  /** Median over neighbouring rounds of whole / bare. */
  times: { clock: number; cpu: number }
}

/** @param mails of each kind, for either way. */
export async function* scanCosts(address: string, clamdPid: number, mails: number): AsyncGenerator<ScanCost> {
  await using engine = await openRealEngine({}, address)
  const bare = (mail: Buffer) =>
    askClamd({ address: clamdAddress(address), command: 'INSTREAM', timeoutMs: 60_000, content: once(mail) })
  for (const [name, make] of Object.entries(kinds)) {
    const round = async (scan: (mail: Buffer) => Promise<unknown>) => {
      const unique = Array.from({ length: MAILS_OF_ROUND }, () => Buffer.from(make(), 'latin1'))
      const work = async () => {
        for (const mail of unique) await scan(mail)
      }
      return perMail(await costOf(clamdPid, work))
    }
    const pairs: { bare: Cost; whole: Cost }[] = []
    const rounds = Math.ceil(mails / MAILS_OF_ROUND)
    for (let i = -WARM_UP_ROUNDS; i < rounds; i++) {
      const pair = { bare: await round(bare), whole: await round(engine.scan) }
      if (i >= 0) pairs.push(pair)
    }
    yield {
      name,
      bare: mean(pairs.map((pair) => pair.bare)),
      whole: mean(pairs.map((pair) => pair.whole)),
      times: {
        clock: median(pairs.map((pair) => pair.whole.ms / pair.bare.ms)),
        cpu: median(pairs.map((pair) => cpuOf(pair.whole) / cpuOf(pair.bare))),
      },
    }
  }
}

const cpuOf = ({ ownCpuMs, clamdCpuMs }: Cost) => ownCpuMs + clamdCpuMs
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

function perMail(cost: Cost): Cost {
  return mapped(cost, (value) => value / MAILS_OF_ROUND)
}

function mean(costs: Cost[]): Cost {
  return mapped(costs[0]!, (_, key) => costs.reduce((sum, cost) => sum + cost[key], 0) / costs.length)
}

function mapped(cost: Cost, map: (value: number, key: keyof Cost) => number): Cost {
  const keys = Object.keys(cost) as (keyof Cost)[]
  return Object.fromEntries(keys.map((key) => [key, map(cost[key], key)])) as unknown as Cost
}
