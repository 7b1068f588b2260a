// What the whole check of a plain mail costs beside one bare INSTREAM round trip to clamd, in turn, on unique mails.
//   CLAMD_ADDRESS=<socket or host:port> node deploy/local/run.mjs services/scanner/src/testing/scan-bench.ts [mails]
import { randomBytes } from 'node:crypto'
import { askClamd, clamdAddress } from '../clamd.ts'
import { once, openRealEngine } from './real-engine.ts'

const WARM_UP = 1_000
const address = process.env.CLAMD_ADDRESS
if (address === undefined) throw new Error('CLAMD_ADDRESS is missing')
process.env.TEST_CLAMD_ADDRESS = address
const mails = Number(process.argv[2] ?? 3_000)

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

await using engine = await openRealEngine()
const bare = (mail: Buffer) =>
  askClamd({ address: clamdAddress(address), command: 'INSTREAM', timeoutMs: 60_000, content: once(mail) })

async function costOf(scan: (mail: Buffer) => Promise<unknown>, mail: Buffer): Promise<{ ms: number; cpuMs: number }> {
  const cpu = process.cpuUsage()
  const from = performance.now()
  await scan(mail)
  const ms = performance.now() - from
  const { user, system } = process.cpuUsage(cpu)
  return { ms, cpuMs: (user + system) / 1_000 }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

for (const [name, make] of Object.entries(kinds)) {
  const costs = { bare: [] as { ms: number; cpuMs: number }[], whole: [] as { ms: number; cpuMs: number }[] }
  for (let i = -WARM_UP; i < mails; i++) {
    const [first, second] = [Buffer.from(make(), 'latin1'), Buffer.from(make(), 'latin1')]
    const pair = { bare: await costOf(bare, first), whole: await costOf(engine.scan, second) }
    if (i < 0) continue
    costs.bare.push(pair.bare)
    costs.whole.push(pair.whole)
  }
  const [bareMs, wholeMs] = [costs.bare, costs.whole].map((all) => median(all.map(({ ms }) => ms))) as [number, number]
  const [bareCpu, wholeCpu] = [costs.bare, costs.whole].map((all) => mean(all.map(({ cpuMs }) => cpuMs)))
  console.log(
    `${name}: bare ${bareMs.toFixed(3)} ms, whole ${wholeMs.toFixed(3)} ms, ${(wholeMs / bareMs).toFixed(2)} times; ` +
      `the process itself ${bareCpu!.toFixed(3)} and ${wholeCpu!.toFixed(3)} CPU ms`,
  )
}
