// The health port: alive while it answers, ready only when everything is there, started and not stopping.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Dependencies } from './dependency.ts'
import { serveHealth } from './health.ts'
import { jobSeconds } from './metrics.ts'

async function serve() {
  const state = { dependencies: new Dependencies(), isStarted: true, isStopping: false }
  const server = await serveHealth('127.0.0.1', 0, state)
  const { port } = server.address() as AddressInfo
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
  }
  return {
    port,
    state,
    get,
    readiness: async () => (await get('/readyz')).status,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

test('the process is alive whatever it waits for', async () => {
  await using health = await serve()
  health.state.isStarted = false
  health.state.dependencies.down('postgres', 'refused')
  assert.equal((await health.get('/livez')).status, 200)
})

test('it is ready when it has started, does not stop, and every dependency is there', async () => {
  await using health = await serve()
  assert.equal(await health.readiness(), 200)
  health.state.dependencies.down('postgres', 'refused')
  health.state.dependencies.down('clamd', 'no EICAR')
  assert.equal(await health.readiness(), 503)
  assert.deepEqual(JSON.parse((await health.get('/readyz?verbose')).body), {
    ready: false,
    started: true,
    stopping: false,
    away: { postgres: 'refused', clamd: 'no EICAR' },
  })
  health.state.dependencies.up('postgres')
  assert.equal(await health.readiness(), 503)
  health.state.dependencies.up('clamd')
  assert.equal(await health.readiness(), 200)
  health.state.isStopping = true
  assert.equal(await health.readiness(), 503)
  health.state.isStopping = false
  health.state.isStarted = false
  assert.equal(await health.readiness(), 503)
})

test('metrics are those of Prometheus, and other paths are nothing', async () => {
  await using health = await serve()
  jobSeconds.observe({ queue: 'scan', outcome: 'done' }, 0.002)
  const { status, type, body } = await health.get('/metrics')
  assert.equal(status, 200)
  assert.match(type!, /^text\/plain; version=0\.0\.4/)
  assert.match(body, /^sekimori_job_seconds_bucket\{le="0\.003",queue="scan",outcome="done"\} 1$/m)
  for (const path of ['/', '/readyz/', '/..', '/metricsx', '//'])
    assert.equal((await health.get(path)).status, 404, path)
})

test('a port in use is an error at once', async () => {
  await using health = await serve()
  await assert.rejects(serveHealth('127.0.0.1', health.port, health.state), { code: 'EADDRINUSE' })
})
