// Publishes what no job asked for, with a trace of its own.
import type { Broker } from '@sekimori/queue/broker'
import type { Publication } from '@sekimori/queue/queues'
import { endSpan, SpanKind, startSpan, traceparentOf } from '@sekimori/runtime/telemetry'

/** Resolves when the broker has it. */
export async function publish(broker: Broker, publication: Publication): Promise<void> {
  const span = startSpan(`${publication.queue.name} publish`, SpanKind.PRODUCER)
  try {
    await broker.publisher.publish(publication, traceparentOf(span))
    endSpan(span, 'published')
  } catch (error) {
    endSpan(span, 'failed', error)
    throw error
  }
}
