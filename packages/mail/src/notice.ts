// What the notifier is asked to tell somebody: of a virus that was stopped, of mail that could not be checked, or
// of mail that could not be delivered.
import Type, { type Static } from 'typebox'
import type { Content } from './content.ts'
import { JobHeader } from './job.ts'
import { UnscannableAction, UnscannableReason } from './unscannable.ts'

/** A recipient of whom the sender is told (RFC 3464): `status` is the enhanced status code. */
export const FailedRecipient = Type.Object({
  address: Type.String(),
  orcpt: Type.Optional(Type.String()),
  status: Type.String(),
  diagnostic: Type.String(),
  remoteMta: Type.Optional(Type.String()),
})

/** `delivered`: it was found in the maildrop of the one recipient, who had got it by way of `list` if that is there. */
const Infected = Type.Object({
  kind: Type.Literal('infected'),
  signature: Type.String(),
  job: JobHeader,
  delivered: Type.Optional(Type.Object({ list: Type.Optional(Type.String()) })),
})

const Undelivered = Type.Object({
  kind: Type.Literal('undelivered'),
  /**
   * relayed: to a server that will not tell of the delivery (RFC 3461 section 5.2.2). delivered: into a maildrop here, or
   * to a list; expanded: to an alias, which leads to others.
   */
  action: Type.Union([
    Type.Literal('failed'),
    Type.Literal('delayed'),
    Type.Literal('relayed'),
    Type.Literal('delivered'),
    Type.Literal('expanded'),
  ]),
  recipients: Type.Array(FailedRecipient),
  /** Whether the content is the whole mail (RET=FULL). */
  isWhole: Type.Optional(Type.Boolean()),
  job: JobHeader,
})

/** Mail that could not be checked, and what its domain had done with it. The recipients are those who are to be told. */
const Unscannable = Type.Object({
  kind: Type.Literal('unscannable'),
  reason: UnscannableReason,
  action: UnscannableAction,
  job: JobHeader,
})

export const NoticeHeader = Type.Union([Infected, Unscannable, Undelivered])

export type FailedRecipient = Static<typeof FailedRecipient>
export type NoticeHeader = Static<typeof NoticeHeader>
/** A notice; its content is the header section of the mail that it speaks of. */
export type Notice = NoticeHeader & { content: Content }
