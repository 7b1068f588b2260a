// Spans and the trace id that a mail keeps from the SMTP session to the maildrop (W3C traceparent, OpenTelemetry).
import { context, type Span, type SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base'

export type { Span } from '@opentelemetry/api'
export { SpanKind } from '@opentelemetry/api'

/** Attribute names, semantic conventions first. */
export const attribute = {
  queueId: 'sekimori.queue_id',
  outcome: 'sekimori.outcome',
  destination: 'messaging.destination.name',
  system: 'messaging.system',
  sizeBytes: 'messaging.message.body.size',
} as const

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** Starts tracing. Spans are exported by OTLP when the standard environment variables name an endpoint. */
export async function startTelemetry(service: string): Promise<AsyncDisposable> {
  const processors: SpanProcessor[] = []
  if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT || process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto')
    processors.push(new BatchSpanProcessor(new OTLPTraceExporter()))
  }
  const name = process.env.OTEL_SERVICE_NAME ?? service
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': name }),
    spanProcessors: processors,
  })
  trace.setGlobalTracerProvider(provider)
  return { [Symbol.asyncDispose]: () => provider.shutdown() }
}

/** Starts a span under the given traceparent, or a new trace without one. The caller ends it. */
export function startSpan(name: string, kind: SpanKind, traceparent?: string): Span {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent)
  const parent =
    match === null
      ? context.active()
      : trace.setSpanContext(context.active(), {
          traceId: match[1]!,
          spanId: match[2]!,
          traceFlags: Number.parseInt(match[3]!, 16),
          isRemote: true,
        })
  return trace.getTracer('sekimori').startSpan(name, { kind }, parent)
}

/** The traceparent header that continues this span. */
export function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** Ends the span with an outcome; an error marks it as failed. */
export function endSpan(span: Span, outcome: string, error?: unknown): void {
  span.setAttribute(attribute.outcome, outcome)
  if (error instanceof Error) span.setStatus({ code: SpanStatusCode.ERROR, message: error.name })
  span.end()
}
