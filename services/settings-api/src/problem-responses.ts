// How an operation's OpenAPI description names the problems that it may answer with.
import { PROBLEM_MEDIA_TYPE, type ProblemKind, problemKinds } from './problem.ts'

const always: ProblemKind[] = ['bad-request', 'unauthorized', 'internal', 'unavailable']

/** Response entries, by status, for these kinds and for the ones that every operation has. */
export function problemResponses(...kinds: ProblemKind[]): object {
  const byStatus = Object.groupBy([...always, ...kinds], (kind) => problemKinds[kind].status)
  return Object.fromEntries(Object.entries(byStatus).map(([status, same]) => [status, problemResponse(same!)]))
}

function problemResponse(kinds: ProblemKind[]): object {
  const description = kinds.map((kind) => `${kind}: ${problemKinds[kind].title} (${problemKinds[kind].titleJa})`)
  return {
    description: description.join('; '),
    content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' } } },
  }
}
