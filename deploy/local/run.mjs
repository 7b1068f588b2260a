// Runs a TypeScript file of ours with the workspace's Node: node deploy/local/run.mjs FILE [ARGUMENT…]
import { ensureInstalled } from './install.mjs'
import { runProcess } from './node-process.mjs'

if (process.argv.length < 3) {
  console.error('usage: node deploy/local/run.mjs FILE [ARGUMENT…]')
  process.exit(2)
}
process.exitCode = await runProcess(ensureInstalled(), process.argv.slice(2))
