// Every queue, in the order that mail crosses them. A queue's value ties its name, schema and type together.
import type { Content } from '@sekimori/mail/content'
import { JobHeader } from '@sekimori/mail/job'
import { NoticeHeader } from '@sekimori/mail/notice'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** A queue of messages of type `T` (a header that travels as JSON, and the content beside it). */
export interface Queue<T extends { content: Content }> {
  name: string
  /** Where a message goes that can't be decoded or keeps failing. */
  deadName: string
  accepts: (header: unknown) => boolean
  /** Never set: carries the type only. */
  messageType?: T
}

/** A message to be published to its queue. */
export interface Publication<T extends { content: Content } = { content: Content }> {
  queue: Queue<T>
  message: T
}

function defineQueue<S extends TSchema>(name: string, schema: S): Queue<Static<S> & { content: Content }> {
  const validator = Compile(schema)
  return { name, deadName: `${name}.dead`, accepts: (header) => validator.Check(header) }
}

/** Ties a message to its queue, so that the compiler checks that they fit. */
export function publication<T extends { content: Content }>(queue: Queue<T>, message: T): Publication {
  return { queue: queue as unknown as Publication['queue'], message }
}

export const scan = defineQueue('scan', JobHeader)
/** Mail of `scan` that takes long to look into: it waits here, where nothing else does. */
export const scanSlow = defineQueue('scan-slow', JobHeader)
export const authenticate = defineQueue('authenticate', JobHeader)
export const deliverLocal = defineQueue('deliver-local', JobHeader)
export const sign = defineQueue('sign', JobHeader)
export const deliverRemote = defineQueue('deliver-remote', JobHeader)
export const notify = defineQueue('notify', NoticeHeader)

export const everyQueue = [
  scan,
  scanSlow,
  authenticate,
  deliverLocal,
  sign,
  deliverRemote,
  notify,
] as unknown as Queue<{
  content: Content
}>[]
