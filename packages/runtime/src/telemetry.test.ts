// One trace from stage to stage: what a traceparent says is continued, what is none begins a new trace.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { endSpan, SpanKind, startSpan, startTelemetry, traceparentOf } from './telemetry.ts'

let telemetry: AsyncDisposable
before(async () => {
  telemetry = await startTelemetry('test')
})
after(() => telemetry[Symbol.asyncDispose]())

test('a span under a traceparent keeps its trace and has an id of its own', () => {
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const span = startSpan('scan process', SpanKind.CONSUMER, parent)
  assert.match(traceparentOf(span), /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/)
  endSpan(span, 'done')
})

test('what is no traceparent begins a trace of its own', () => {
  const traces = new Set<string>()
  for (const odd of [
    undefined,
    '',
    'x',
    '00-zz-zz-01',
    `00-${'0'.repeat(31)}-${'1'.repeat(16)}-01`,
    '00-'.repeat(10_000),
  ]) {
    const span = startSpan('accept', SpanKind.SERVER, odd)
    traces.add(traceparentOf(span).split('-')[1]!)
    endSpan(span, 'refused', new Error('x'))
  }
  assert.equal(traces.size, 6)
})
