// npm start: installs what is missing, then starts the whole system. Arguments: see --help.
import { join } from 'node:path'
import { ensureInstalled, workspace } from './install.mjs'
import { runProcess } from './node-process.mjs'

const main = join(workspace, 'deploy', 'local', 'src', 'main.ts')
process.exitCode = await runProcess(ensureInstalled(), [main, ...process.argv.slice(2)])
