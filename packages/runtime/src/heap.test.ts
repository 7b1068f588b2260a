// That V8 still knows the setting: of one that it does not know it only complains.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

test('V8 takes the setting without a complaint', () => {
  const module = JSON.stringify(new URL('./heap.ts', import.meta.url).href)
  const program = `import { collectLessOften } from ${module}\ncollectLessOften()\nconsole.log('done')`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.deepEqual([stdout, stderr], ['done\n', ''])
})
