// npm start: the whole system on this machine, until Ctrl-C.
import { describeFailure, help } from './announcement.ts'
import { readSettings } from './config.ts'
import { findGuardians } from './guardians.ts'
import { lockStateDirectory } from './launcher-lock.ts'
import { runLocalSystem } from './local-system.ts'
import { prepareStateDirectory, statePaths } from './state-directory.ts'
import { awaitStopRequest } from './stop-request.ts'

async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    process.stdout.write(help)
    return 0
  }
  const guardians = findGuardians(process.env)
  using request = awaitStopRequest(guardians)
  try {
    const settings = readSettings(process.env, process.argv.includes('--standard-ports'))
    const paths = statePaths(settings.STATE_DIR)
    await prepareStateDirectory(paths)
    using _lock = await lockStateDirectory(paths.run, guardians)
    await runLocalSystem(settings, paths, request, say)
    return 0
  } catch (error) {
    if (request.stopping.aborted) return 0
    process.stderr.write(describeFailure(error))
    return 1
  }
}

const startedAt = Date.now()

function say(line: string): void {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)
  process.stdout.write(line.includes('\n') ? `${line}\n` : `[${seconds} s] ${line}\n`)
}

// A terminal that has gone must not end us before everything that we started is stopped.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.exit(await main())
