// npm run bench:virus: what the virus check of an ordinary mail costs beside clamd by itself, and what bombs cost. Starts a
// clamd of its own. Ends with status 1 when a limit is passed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startClamd } from '../../deploy/local/src/clamd.ts'
import { bombCosts } from '../../services/scanner/src/testing/bomb-bench.ts'
import { scanCosts } from '../../services/scanner/src/testing/scan-bench.ts'

const { values } = parseArgs({
  options: { mails: { type: 'string', default: '3000' }, rounds: { type: 'string', default: '3' } },
})
const MEBIBYTE = 1024 * 1024
const LIMITS = { times: 1.3, cpuMs: 2_000, memoryBytes: 256 * MEBIBYTE }

const dir = mkdtempSync(join(tmpdir(), 'sekimori-bench-'))
await using resources = new AsyncDisposableStack()
resources.defer(() => rmSync(dir, { recursive: true, force: true }))
const clamd = resources.use(await startClamd({ dir }))
const faults: string[] = []

console.log('\n| mail | bare clamd, ms | whole check, ms | times | CPU ms, bare | CPU ms, whole | times |')
console.log('| --- | --- | --- | --- | --- | --- | --- |')
for await (const { name, bare, whole, times } of scanCosts(clamd.address, clamd.pid, Number(values.mails))) {
  const cells = [
    ...[bare.ms, whole.ms, times.clock].map((value) => value.toFixed(2)),
    ...[bare, whole].map(({ ownCpuMs, clamdCpuMs }) => (ownCpuMs + clamdCpuMs).toFixed(2)),
    times.cpu.toFixed(2),
  ]
  console.log(`| ${[name, ...cells].join(' | ')} |`)
  if (name.startsWith('plain') && Math.min(times.clock, times.cpu) > LIMITS.times) faults.push(name)
}

console.log('\n| bomb | mail, KB | verdict | CPU ms, scanner | clamd | together | memory, MiB |')
console.log('| --- | --- | --- | --- | --- | --- | --- |')
for await (const bomb of bombCosts(clamd.address, clamd.pid, Number(values.rounds))) {
  const together = bomb.ownCpuMs + bomb.clamdCpuMs
  const figures = [bomb.ownCpuMs, bomb.clamdCpuMs, together, bomb.memoryBytes / MEBIBYTE].map(Math.round)
  console.log(`| ${[bomb.name, Math.round(bomb.sizeBytes / 1_024), bomb.verdict, ...figures].join(' | ')} |`)
  if (together > LIMITS.cpuMs || bomb.memoryBytes > LIMITS.memoryBytes || bomb.verdict === 'clean')
    faults.push(bomb.name)
}

if (faults.length > 0) {
  console.error(`\nover the limit: ${faults.join('; ')}`)
  process.exitCode = 1
}
