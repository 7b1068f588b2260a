// The first step of a mail: an edge hands it to the broker and opens the trace that it keeps to its end.

import { contentSize } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { attribute, endSpan, type Span, SpanKind, startSpan, traceparentOf } from '@sekimori/runtime/telemetry'
import type { Broker } from './broker.ts'
import { MessageNeverSent } from './publisher.ts'
import { publication, type Queue } from './queues.ts'

/** What becomes of the hold on stored content, by its id. */
export interface Hold {
  release(contentId: string): Promise<void>
  /** The mail is accepted: the hold lasts until its end. */
  confirm(contentId: string): Promise<void>
}

/**
 * Publishes an accepted mail; resolves when it is safe. Stored content is released when the broker certainly did not
 * get the job: clients come again, and must not fill the store while the broker is away. When it may have got it, the
 * content stays, unconfirmed. @throws DependencyAway: then the client must be told to try again.
 */
export async function publishAccepted(broker: Broker, queue: Queue<Job>, job: Job, hold: Hold): Promise<void> {
  const span = startSpan(`${broker.service.name} accept`, SpanKind.SERVER)
  span.setAttributes({ [attribute.queueId]: job.queueId, [attribute.sizeBytes]: contentSize(job.content) })
  try {
    await broker.publisher.publish(publication(queue, job), traceparentOf(span))
  } catch (error) {
    endSpan(span, 'refused', error)
    if (error instanceof MessageNeverSent && job.content.kind === 'stored') await hold.release(job.content.id)
    throw error
  }
  await confirm(job, hold, span)
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

/** Only what is confirmed may be answered with 250: the rest is swept away one day, and its job is void. */
async function confirm({ content }: Job, hold: Hold, span: Span): Promise<void> {
  if (content.kind === 'inline') return
  try {
    await hold.confirm(content.id)
  } catch (error) {
    endSpan(span, 'refused', error)
    throw error
  }
}
