// npm test: style, types, unit and integration tests, black box. With file arguments: only those test files.
import { join } from 'node:path'
import { ensureInstalled, workspace } from './install.mjs'
import { runProcess } from './node-process.mjs'

const node = ensureInstalled()
const files = process.argv.slice(2)
const local = (...path) => join(workspace, ...path)
const checks = [
  { name: 'style', command: local('node_modules', '.bin', 'biome'), args: ['check'] },
  { name: 'types', command: local('node_modules', '.bin', 'tsc'), args: ['--noEmit'] },
]
const tests = { name: 'tests', command: node, args: [local('deploy', 'local', 'src', 'run-tests.ts'), ...files] }

for (const { name, command, args } of files.length > 0 ? [tests] : [...checks, tests]) {
  if (name !== 'tests') console.log(`\n== ${name}`)
  const status = await runProcess(command, args, { cwd: files.length > 0 ? process.cwd() : workspace })
  if (status === 0) continue
  console.error(`\nnpm test: failed at "${name}" (exit status ${status}) / 失敗しました`)
  process.exit(status)
}
console.log('\nnpm test: all steps passed / すべて成功しました')
