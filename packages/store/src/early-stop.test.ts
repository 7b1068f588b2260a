import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

test('SIGTERM while Postgres is still away at start ends the process in good order', async () => {
  const main = new URL('../../../services/local-delivery/src/main.ts', import.meta.url)
  const env = {
    MAIL_HOSTNAME: 'mx.example.test',
    SRS_SECRET: 'a secret of the test, 32 octets long',
    DATABASE_URL: 'postgres://x:x@127.0.0.1:9/x',
    AMQP_URL: 'amqp://127.0.0.1:9',
    HEALTH_PORT: '0',
  }
  const child = spawn(process.execPath, [main.pathname], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  for await (const chunk of child.stdout) {
    output += chunk
    if (!child.killed && output.includes('database not usable yet')) child.kill('SIGTERM')
  }
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  assert.equal(code, 0, output)
  assert.match(output, /"msg":"stopped"/)
})
