// Publishes what no job asked for, with a trace of its own.
import { endSpan, SpanKind, startSpan, traceparentOf } from '@sekimori/runtime/telemetry'
import type { Broker } from './broker.ts'
import type { Publication } from './queues.ts'

/** Resolves when the broker has it. */
export async function publishAlone(broker: Broker, publication: Publication): Promise<void> {
  const span = startSpan(`${publication.queue.name} publish`, SpanKind.PRODUCER)
  try {
    await broker.publisher.publish(publication, traceparentOf(span))
    endSpan(span, 'published')
  } catch (error) {
    endSpan(span, 'failed', error)
    throw error
  }
}
