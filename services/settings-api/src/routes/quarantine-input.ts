// What the quarantine's calls take and show: a record of mail that was set aside, and how records are chosen.
import { Envelope, Session } from '@sekimori/mail/job'
import { unscannableReasons } from '@sekimori/mail/unscannable'
import Type from 'typebox'
import { Problem } from '../problem.ts'
import { queueId } from './parameters.ts'

const Summary = Type.Object(
  {
    subject: Type.Optional(Type.String()),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
    date: Type.Optional(Type.String()),
    messageId: Type.Optional(Type.String()),
  },
  { description: 'header fields as the sender wrote them: data of a stranger, not to be trusted' },
)

const time = Type.String({ format: 'date-time' })
const direction = Type.Enum(['submission', 'inbound'], { description: 'submission: sent by an account' })
const kind = Type.Enum(['infected', 'held', 'refused'], {
  description: 'infected: a virus was found; held and refused: it could not be looked into, and its domain wanted that',
})
const state = Type.Enum(['kept', 'releasing', 'released', 'deleting', 'deleted', 'expiring', 'expired'], {
  description: 'kept: its content lies in quarantine; of all that ends in -ed it does not any more',
})

export const QuarantinedMail = Type.Object({
  queueId: Type.String(),
  direction,
  kind,
  state,
  signature: Type.Optional(Type.String({ description: 'name of what was found' })),
  reason: Type.Optional(
    Type.Enum([...unscannableReasons], { description: 'why held or refused mail could not be looked into' }),
  ),
  engine: Type.String({ description: 'engine and version of its signatures' }),
  envelope: Type.Object(Envelope.properties, { description: 'the recipients are those for whom it was set aside' }),
  session: Session,
  summary: Summary,
  sizeBytes: Type.Integer(),
  quarantinedAt: time,
  settledAt: Type.Optional(
    Type.String({ format: 'date-time', description: 'when it was released, deleted or expired' }),
  ),
  isReleasable: Type.Boolean({ description: 'held mail, and refused mail of which no sender was told' }),
})

export const quarantineParams = Type.Object({ queueId: queueId('of the mail') })

/** Chooses among the records of one mail. */
export const recordFilter = { direction: Type.Optional(direction), kind: Type.Optional(kind) }

/** Chooses among all records. */
export const listFilter = { kind: Type.Optional(kind), state: Type.Optional(state) }

export const metadataOnly = 'Metadata only: quarantined content is never handed out. Each call is recorded.'

/** Ends a request about a mail that the quarantine does not know. */
export function notInQuarantine(id: string): never {
  throw new Problem('not-found', {
    en: `Nothing of mail ${id} is in quarantine.`,
    ja: `メール ${id} は隔離されていません。`,
  })
}
