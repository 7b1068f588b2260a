// Why the virus check could not look into a mail, and what a domain may have done with such mail.
import Type, { type Static } from 'typebox'

export const unscannableReasons = ['encrypted', 'depth', 'size', 'time', 'damaged'] as const
export const unscannableActions = ['deliver', 'hold', 'refuse'] as const

export const UnscannableReason = Type.Union([
  Type.Literal('encrypted'),
  Type.Literal('depth'),
  Type.Literal('size'),
  Type.Literal('time'),
  Type.Literal('damaged'),
])
export const UnscannableAction = Type.Union([Type.Literal('deliver'), Type.Literal('hold'), Type.Literal('refuse')])

export type UnscannableReason = Static<typeof UnscannableReason>
export type UnscannableAction = Static<typeof UnscannableAction>
