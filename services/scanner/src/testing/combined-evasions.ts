// Several ways to break MIME at once, drawn by lot, always the same ones.
import { attached, type Form, OCTETS } from './attached.ts'
import { CUTS, NAMED } from './boundary-evasions.ts'
import { BASE64_NAMES, base64Bodies } from './encoding-evasions.ts'
import { HEADS } from './place-evasions.ts'
import type { Sample } from './sample.ts'

/** So many mails; each breaks two to five rules. */
export function combinedEvasions(payload: string, count: number): Sample[] {
  const bodies = base64Bodies(Buffer.from(payload).toString('base64'), payload)
  let state = 20_261_122
  const draw = <T>(from: Record<string, T>): [string, T] => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const entries = Object.entries(from)
    return entries[Math.floor((state / 2 ** 32) * entries.length)]!
  }
  return Array.from({ length: count }, (_, i) => {
    const [headName, head] = draw(HEADS)
    const [boundaryName, [parameters, boundary]] = draw(NAMED)
    const [cutName, cut] = draw(i % 2 === 0 ? CUTS : { usual: {} })
    const [encodingName, encoding] = draw(BASE64_NAMES)
    const [bodyName, body] = draw(bodies)
    const used: Form = {
      head,
      type: [`Content-Type: multipart/mixed; ${parameters}`],
      part: [...(cut.part ?? [OCTETS, ...encoding]), ...(cut.part === undefined ? [] : encoding)],
      delimiter: cut.delimiter?.replace('foo', boundary) ?? `--${boundary}`,
      ...(cut.gap && { gap: cut.gap }),
    }
    return attached(`${i}: ${[headName, boundaryName, cutName, encodingName, bodyName].join('; ')}`, body, used)
  })
}
