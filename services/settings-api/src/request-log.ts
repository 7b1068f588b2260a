// One log line and one span for each finished request. The line names the route, not the URL.
import { endSpan, type Span, SpanKind, startSpan } from '@sekimori/runtime/telemetry'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Adds the log line and the span to every request. */
export function observeRequests(app: FastifyInstance): void {
  const spans = new WeakMap<FastifyRequest, Span>()
  app.addHook('onRequest', async (request) => {
    const { traceparent } = request.headers
    const parent = typeof traceparent === 'string' ? traceparent : undefined
    spans.set(request, startSpan(`${request.method} ${routeOf(request)}`, SpanKind.SERVER, parent))
  })
  app.addHook('onResponse', async (request, reply) => {
    const { statusCode, elapsedTime } = reply
    const span = spans.get(request)
    if (span !== undefined) endSpan(span, String(statusCode))
    const line = { method: request.method, route: routeOf(request), outcome: statusCode }
    request.log.info({ ...line, clientAddress: request.ip, ms: Math.round(elapsedTime) }, 'request finished')
  })
}

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'unknown'
}
