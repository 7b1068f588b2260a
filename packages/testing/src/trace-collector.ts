// An OTLP collector of a test's own: keeps what is exported to it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface TraceCollector extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string
  /** Batches of spans as they came (protobuf). */
  batches: Buffer[]
}

export async function startTraceCollector(): Promise<TraceCollector> {
  const batches: Buffer[] = []
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/traces') batches.push(await buffer(request))
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    batches,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
