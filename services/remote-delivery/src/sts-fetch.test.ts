// Fetching policies from hosts that mean no good.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import { fetchStsPolicy, type PolicyFault } from './sts-fetch.ts'
import { openOutside } from './testing/outside.ts'

const certificate = await makeTestCertificate('mta-sts.remote.test')
setDefaultCACertificates([...getCACertificates(), certificate.cert])
const FILE = 'version: STSv1\nmode: enforce\nmx: mx.remote.test\nmax_age: 86400\n'
const TEXT = { 'content-type': 'text/plain; charset=utf-8' }

/** What comes of a fetch from a host that answers so. */
async function fetchFrom(
  answer: (response: ServerResponse, path: string) => void,
  { domain = 'remote.test', refuses = false } = {},
) {
  await using outside = await openOutside()
  const server = createServer(certificate, (request, response) => answer(response, request.url!))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  outside.dns.set(`mta-sts.${domain}`, 'A', ['127.0.0.1'])
  const { exchangers } = outside.ports({}, { refusesPrivateAddresses: refuses })
  const { port } = server.address() as AddressInfo
  try {
    return await fetchStsPolicy(domain, '1', (host, signal) => exchangers.reachHost(host, port, signal))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a policy is fetched from the well-known path', async () => {
  const paths: string[] = []
  const policy = await fetchFrom((response, path) => {
    paths.push(path)
    response.writeHead(200, TEXT).end(FILE)
  })
  assert.deepEqual([policy.mode, policy.mx, paths], ['enforce', ['mx.remote.test'], ['/.well-known/mta-sts.txt']])
})

const refusals: [string, (response: ServerResponse) => void, RegExp, PolicyFault][] = [
  [
    'a redirect',
    (response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end(),
    /answered 302/,
    'sts-policy-fetch-error',
  ],
  [
    'what can not be read',
    (response) => response.writeHead(200, TEXT).end(FILE.replace('enforce', 'must')),
    /no usable/,
    'sts-policy-invalid',
  ],
  [
    'another media type',
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(FILE),
    /text\/plain/,
    'sts-policy-invalid',
  ],
  [
    'an endless file',
    (response) => void response.writeHead(200, TEXT).end(Buffer.alloc(1_000_000, 'a')),
    /longer than/,
    'sts-policy-invalid',
  ],
  [
    'a lost connection',
    (response) => void response.socket!.destroy(),
    /hang up|ECONNRESET|closed/,
    'sts-policy-fetch-error',
  ],
]
for (const [name, answer, reason, fault] of refusals)
  test(`${name} is no policy: ${fault}`, () =>
    assert.rejects(fetchFrom(answer), { name: 'Error', message: reason, fault }))

test('a certificate for another host is no proof', async () => {
  await assert.rejects(
    fetchFrom((response) => response.writeHead(200, TEXT).end(FILE), { domain: 'other.test' }),
    { message: /altnames/, fault: 'sts-webpki-invalid' },
  )
})

test("a stranger's record does not lead to a private address where the operator refuses them", async () => {
  await assert.rejects(
    fetchFrom(() => assert.fail('nobody may connect'), { refuses: true }),
    { message: /127\.0\.0\.1/, fault: 'sts-policy-fetch-error' },
  )
})
