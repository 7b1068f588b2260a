// Log lines on standard output: gathered, but there soon, at once when something is wrong, and all of them at the end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'

const LOG = JSON.stringify(new URL('log.ts', import.meta.url).href)

function logging(script: string) {
  const source = `import { createLog } from ${LOG}\nconst log = createLog('test', 'info')\n${script}`
  return spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'inherit'] })
}

const messages = (lines: string) =>
  lines
    .split('\n')
    .slice(0, -1) // whole lines
    .map((line) => JSON.parse(line).msg)

async function untilHeard(script: string, expected: string[]): Promise<void> {
  const child = logging(script)
  let heard = ''
  child.stdout.on('data', (chunk: Buffer) => {
    heard += chunk
  })
  try {
    await eventually(() => messages(heard).length === expected.length)
    assert.deepEqual(messages(heard), expected)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

test('lines appear while the process lives, in their order', async () => {
  await untilHeard(`log.info('one'); log.info('two'); setInterval(() => {}, 1000)`, ['one', 'two'])
})

test('a process that ends leaves no line behind, however it ends', async () => {
  for (const [end, status] of [
    ['', 0],
    ['process.exit(3)', 3],
  ] as const) {
    const child = logging(`for (let i = 0; i < 100; i++) log.info(String(i)); ${end}`)
    const [lines] = await Promise.all([text(child.stdout), once(child, 'exit')])
    assert.deepEqual([messages(lines).length, child.exitCode], [100, status])
  }
})

test('what tells of trouble is written at once, with all before it', async () => {
  const standStill = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)' // no timer runs any more
  await untilHeard(`log.info('before'); log.warn('trouble'); ${standStill}`, ['before', 'trouble'])
})
