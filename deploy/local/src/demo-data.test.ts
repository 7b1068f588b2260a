import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { seedDemoData } from './demo-data.ts'
import type { Secrets } from './secrets.ts'

const secrets = { alicePassword: 'a', bobPassword: 'b', carolPassword: 'c' } as Secrets

/** A settings API that answers everything with one status and keeps what it was asked. */
async function settingsApi(status: number): Promise<AsyncDisposable & { url: string; requests: unknown[] }> {
  const requests: unknown[] = []
  const server = createServer(async (request, response) => {
    const body = JSON.parse((await request.toArray()).join(''))
    requests.push([request.method, request.url, request.headers.authorization, body])
    response.writeHead(status).end('{"error":"no"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, requests, [Symbol.asyncDispose]: async () => void server.close() }
}

test('the demo domain gets its accounts and its list, with the operator’s key', async () => {
  await using api = await settingsApi(201)
  await seedDemoData(api.url, 'key', secrets)
  const post = (path: string, body: object) => ['POST', `/v1/${path}`, 'Bearer key', body]
  assert.deepEqual(api.requests, [
    post('domains', { name: 'example.test' }),
    post('accounts', { address: 'alice@example.test', password: 'a' }),
    post('accounts', { address: 'bob@example.test', password: 'b' }),
    post('accounts', { address: 'carol@example.test', password: 'c' }),
    post('lists', { address: 'staff@example.test', members: ['bob@example.test', 'carol@example.test'] }),
  ])
})

test('what is there already is no fault, anything else is', async () => {
  await using existing = await settingsApi(409)
  await seedDemoData(existing.url, 'key', secrets)
  await using failing = await settingsApi(500)
  await assert.rejects(seedDemoData(failing.url, 'key', secrets), /POST .*domains answered 500/)
})
