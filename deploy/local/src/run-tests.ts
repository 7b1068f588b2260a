// The test steps that need servers: unit and integration tests beside the code, then the black box in test/.
import { globSync } from 'node:fs'
import { totalmem } from 'node:os'
import { relative, resolve } from 'node:path'
import { describeFailure } from './announcement.ts'
import { awaitStopRequest, type StopRequest } from './stop-request.ts'
import { ensureInstalled, serverPackages } from './system-packages.ts'
import { runTestFiles, separately, together } from './test-process.ts'
import { archiverPackages, clientPackages, startTestServers } from './test-servers.ts'

const WORKSPACE = resolve(import.meta.dirname, '..', '..', '..')
const UNIT = ['packages/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts', 'deploy/**/*.test.ts', 'k8s/**/*.test.ts']
const BLACK_BOX = ['test/**/*.test.ts']
/** They mostly wait for systems of their own to start and to stop: they run beside the rest of the black box. */
const OWN_SYSTEMS = new Set(
  ['content-sweep', 'dead-jobs', 'rescan', 'restart', 'second-copy', 'signatures', 'start-faults'].map(
    (name) => `test/${name}.test.ts`,
  ),
)
/** Up to four systems run then, of about 1 GB each. */
const HAS_ROOM = totalmem() > 8e9
/** A test that takes longer hangs. */
const UNIT_TIMEOUT_MS = 3 * 60 * 1000
const BLACK_BOX_TIMEOUT_MS = 12 * 60 * 1000

interface Step {
  name: string
  /** Each group in a process of its own, at the same time. */
  groups: string[][]
  mode: string[]
  timeoutMs: number
}

async function main(): Promise<number> {
  using request = awaitStopRequest([])
  try {
    const steps = plan(process.argv.slice(2).map((file) => resolve(file)))
    const isBlackBox = steps.some(({ name }) => name === 'black box')
    const needed = [...serverPackages, ...archiverPackages, ...(isBlackBox ? clientPackages : [])]
    await ensureInstalled(needed, console.log)
    return await runSteps(steps, request)
  } catch (error) {
    process.stderr.write(describeFailure(error))
    return 1
  }
}

async function runSteps(steps: Step[], request: StopRequest): Promise<number> {
  await using servers = await startTestServers()
  for (const { name, groups, mode, timeoutMs } of steps) {
    if (request.stopping.aborted) return 130
    console.log(`\n== ${name} (${groups.flat().length} files)`)
    const options = { cwd: WORKSPACE, mode, env: servers.environment, timeoutMs, request }
    const run = (files: string[]) => runTestFiles(files, options)
    const statuses = HAS_ROOM ? await Promise.all(groups.map(run)) : await Array.fromAsync(groups, run)
    const status = statuses.find((one) => one !== 0)
    if (status === undefined) continue
    console.error(`\n"${name}" failed`)
    return status
  }
  return 0
}

function plan(chosen: string[]): Step[] {
  const find = (patterns: string[]) => {
    const found = globSync(patterns, { cwd: WORKSPACE, exclude: ['**/node_modules/**'] }).sort()
    return chosen.length === 0 ? found : found.filter((file) => chosen.includes(resolve(WORKSPACE, file)))
  }
  const { shared = [], own = [] } = Object.groupBy(find(BLACK_BOX), (file) =>
    OWN_SYSTEMS.has(file) ? 'own' : 'shared',
  )
  const steps: Step[] = [
    { name: 'unit and integration', groups: [find(UNIT)], mode: separately, timeoutMs: UNIT_TIMEOUT_MS },
    // One system serves all files of a group.
    { name: 'black box', groups: [shared, own], mode: together, timeoutMs: BLACK_BOX_TIMEOUT_MS },
  ]
    .map((step) => ({ ...step, groups: step.groups.filter((files) => files.length > 0) }))
    .filter(({ groups }) => groups.length > 0)
  const planned = steps.flatMap(({ groups }) => groups.flat().map((file) => resolve(WORKSPACE, file)))
  const unknown = chosen.filter((file) => !planned.includes(file))
  if (unknown.length > 0 || steps.length === 0)
    throw new Error(`No such test file: ${unknown.map((file) => relative(WORKSPACE, file)).join(', ')}`)
  return steps
}

process.exit(await main())
