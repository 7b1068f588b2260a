// The first step of a mail: an edge hands it to the broker and opens the trace that it keeps to its end.

import { contentSize } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { attribute, endSpan, SpanKind, startSpan, traceparentOf } from '@sekimori/runtime/telemetry'
import type { Broker } from './broker.ts'
import { MessageNeverSent } from './publisher.ts'
import { publication, type Queue } from './queues.ts'

/**
 * Publishes an accepted mail; resolves when it is safe. Stored content is released when the broker certainly did not
 * get the job: clients come again, and must not fill the store while the broker is away. When it may have got it, the
 * content stays. @throws DependencyAway: then the client must be told to try again.
 */
export async function publishAccepted(
  broker: Broker,
  queue: Queue<Job>,
  job: Job,
  release: (contentId: string) => Promise<void>,
): Promise<void> {
  const span = startSpan(`${broker.service.name} accept`, SpanKind.SERVER)
  span.setAttributes({ [attribute.queueId]: job.queueId, [attribute.sizeBytes]: contentSize(job.content) })
  try {
    await broker.publisher.publish(publication(queue, job), traceparentOf(span))
  } catch (error) {
    endSpan(span, 'refused', error)
    if (error instanceof MessageNeverSent && job.content.kind === 'stored') await release(job.content.id)
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
