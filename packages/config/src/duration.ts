// Durations as settings write them, with their unit: 30s, 5m, 4h, 30d.
import ms, { type StringValue } from 'ms'
import Type from 'typebox'

/** A setting that is a duration; `parseDuration` reads its value. */
export const duration = (standard: string, description: string) =>
  Type.Refine(
    Type.String({ default: standard, description }),
    (text) => parseDuration(text) !== undefined,
    () => 'must be a duration such as 30s, 5m, 4h or 5d',
  )

/** A duration such as 30s, 5m, 4h or 5d in milliseconds; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^\d+(\.\d+)? ?[a-z]{1,12}$/i.test(text)) return undefined
  const duration = ms(text as StringValue)
  return duration >= 1 ? duration : undefined
}
