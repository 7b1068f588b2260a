// How far V8 lets the heap grow before it looks through all of it.
import { setFlagsFromString } from 'node:v8'

/** In percent of what the last full collection left. */
const GROWTH = 300

/**
 * For an edge, whose heap is small: by its own measure V8 goes through all of it twice a second while many sessions come and go,
 * with threads that take the processors from mail. `npm run bench:edges` sees it.
 */
export function collectLessOften(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`)
}
