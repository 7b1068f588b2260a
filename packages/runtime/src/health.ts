// The port for operators and Kubernetes: /livez, /readyz, /metrics.
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Dependencies } from './dependency.ts'
import { registry } from './metrics.ts'

export interface HealthState {
  dependencies: Dependencies
  /** Whether start-up is over. */
  isStarted: boolean
  /** Whether the process is draining after SIGTERM. */
  isStopping: boolean
}

/** Serves the health endpoints; resolves when the port listens. */
export async function serveHealth(host: string, port: number, state: HealthState): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/', response, state)
  })
  server.keepAliveTimeout = 5_000
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return server
}

async function answer(url: string, response: ServerResponse, state: HealthState): Promise<void> {
  switch (url.split('?')[0]) {
    case '/livez':
      return send(response, 200, 'text/plain', 'ok\n')
    case '/readyz': {
      const away = state.dependencies.away()
      const isReady = state.isStarted && !state.isStopping && Object.keys(away).length === 0
      const body = { ready: isReady, started: state.isStarted, stopping: state.isStopping, away }
      return send(response, isReady ? 200 : 503, 'application/json', `${JSON.stringify(body)}\n`)
    }
    case '/metrics':
      return send(response, 200, registry.contentType, await registry.metrics())
    default:
      return send(response, 404, 'text/plain', 'not found: use /livez, /readyz or /metrics\n')
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body)
}
