// The first step of a mail: an edge hands it to the broker and opens the trace that it keeps to its end.

import { contentSize } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { attribute, endSpan, SpanKind, startSpan, traceparentOf } from '@sekimori/runtime/telemetry'
import type { Broker } from './broker.ts'
import { publication, type Queue } from './queues.ts'

/** Publishes an accepted mail; resolves when it is safe. @throws DependencyAway: then the client must be told to try again. */
export async function publishAccepted(broker: Broker, queue: Queue<Job>, job: Job): Promise<void> {
  const span = startSpan(`${broker.service.name} accept`, SpanKind.SERVER)
  span.setAttributes({ [attribute.queueId]: job.queueId, [attribute.sizeBytes]: contentSize(job.content) })
  try {
    await broker.publisher.publish(publication(queue, job), traceparentOf(span))
  } catch (error) {
    endSpan(span, 'refused', error)
    throw error
  }
  endSpan(span, 'accepted')
  const { queueId, envelope, session } = job
  broker.service.log.info(
    {
      queueId,
      client: session.clientAddress,
      recipients: envelope.recipients.length,
      sizeBytes: contentSize(job.content),
      outcome: 'accepted',
      traceId: span.spanContext().traceId,
    },
    'accepted',
  )
}
