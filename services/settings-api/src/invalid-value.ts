// The problem of one value that its schema alone can't judge.
import { type BilingualText, Problem } from './problem.ts'

/** `wrong` says what is wrong with the value at `pointer`: a predicate in English, a sentence in Japanese. */
export function invalidValue(kind: 'invalid' | 'bad-request', pointer: string, wrong: BilingualText): Problem {
  const detail = { en: `The value at ${pointer} ${wrong.en}.`, ja: `${pointer} の値: ${wrong.ja}。` }
  return new Problem(kind, detail, [{ pointer, detail: wrong.en, detailJa: wrong.ja }])
}
