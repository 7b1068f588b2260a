// npm run bench: what a mail costs. Uses a running system (STATE_DIR) or starts one of its own, warms it up, measures.
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type RunningSystem, startSystem } from './running-system.ts'
import { type Result, runScenario, type Scenario } from './scenario.ts'

const help = `npm run bench -- [--state-dir DIR] [--mails N] [--size BYTES] [--only TEXT]

  --state-dir DIR   measure the system that runs with this STATE_DIR (default: start one and stop it again)
  --mails N         mails of each scenario (default 3000; a tenth of it over one connection)
  --size BYTES      size of a mail (default 4096)
  --only TEXT       only scenarios whose name holds this text
`

const { values } = parseArgs({
  options: {
    'state-dir': { type: 'string' },
    mails: { type: 'string', default: '3000' },
    size: { type: 'string', default: '4096' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
})

const WARM_UP_MAILS = 2_000

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(help)
  const stateDir = values['state-dir']
  if (stateDir !== undefined) return measure(join(stateDir, 'endpoints.json'))
  const own = mkdtempSync(join(tmpdir(), 'sekimori-bench-'))
  try {
    await using _system = await startSystem(own)
    await measure(join(own, 'endpoints.json'))
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

async function measure(endpointsPath: string): Promise<void> {
  const system = JSON.parse(readFileSync(endpointsPath, 'utf8')) as RunningSystem
  const scenarios = allScenarios(system).filter(({ name }) => name.includes(values.only))
  for (const direction of ['inbound', 'submission']) {
    const first = scenarios.find(({ name }) => name.startsWith(direction))
    if (first === undefined) continue
    say(`warming up with ${WARM_UP_MAILS} mails, ${direction}`)
    await runScenario({ ...first, mails: WARM_UP_MAILS, connections: 16 }, system.databaseUrl, system.processes)
  }
  const results: Result[] = []
  for (const scenario of scenarios) {
    const result = await runScenario(scenario, system.databaseUrl, system.processes)
    results.push(result)
    say(`${scenario.name}: ${result.cpuMsPerMail.toFixed(2)} CPU ms a mail`)
  }
  process.stdout.write(`\n${table(results)}\n`)
}

function allScenarios(system: RunningSystem): Scenario[] {
  const [alice, bob] = system.accounts as [RunningSystem['accounts'][0], RunningSystem['accounts'][0]]
  const mails = Number(values.mails)
  const common = { recipient: bob.address, sizeBytes: Number(values.size), isReconnecting: false }
  const inbound = { ...common, mailFrom: 'sender@load.example', target: system.mx }
  const secure = { ca: readFileSync(system.caCertificate), ...alice }
  const submission = { ...common, mailFrom: alice.address, target: { ...system.smtps, secure } }
  const kept = [1, 16, 64].flatMap((connections) =>
    Object.entries({ inbound, submission }).map(([direction, scenario]) => ({
      ...scenario,
      name: `${direction}, ${connections} kept`,
      connections,
      mails: connections === 1 ? mails / 10 : mails,
    })),
  )
  return [
    ...kept,
    { ...submission, name: 'submission, 16 × new TLS+AUTH', connections: 16, mails: mails / 3, isReconnecting: true },
  ]
}

function table(results: Result[]): string {
  const parts = Object.keys(results[0]?.parts ?? {})
  const head = ['scenario', 'accepted/s', 'p50 ms', 'p99 ms', 'delivered/s', 'CPU s / 1,000', ...parts]
  const rows = results.map((result) => [
    result.name,
    result.acceptPerSecond.toFixed(0),
    result.p50Ms.toFixed(1),
    result.p99Ms.toFixed(1),
    result.deliveredPerSecond.toFixed(0),
    result.cpuMsPerMail.toFixed(2),
    ...parts.map((part) => (result.parts[part] ?? 0).toFixed(2)),
  ])
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

await main()
