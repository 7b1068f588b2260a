// Paging as clients see it: an opaque cursor that goes on after the last item, and a limit.
import type { Page, PageRequest } from '@sekimori/store/page'
import Type, { type TProperties, type TSchema } from 'typebox'
import { Problem } from './problem.ts'

const STANDARD_LIMIT = 50

const page = {
  cursor: Type.Optional(Type.String({ maxLength: 4_096, description: 'nextCursor of the page before' })),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, description: `items on a page, ${STANDARD_LIMIT} unless told` }),
  ),
}

/** The query of a listing: the parameters given and the ones of paging. A misspelt one is refused, not ignored. */
export const listingQuery = <P extends TProperties>(parameters: P) =>
  Type.Object({ ...parameters, ...page }, { additionalProperties: false })

/** A page of items; without `nextCursor` it is the last one. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    nextCursor: Type.Optional(Type.String({ description: 'the cursor of the next page; absent on the last one' })),
  })

/** Key parts that a cursor may carry. */
export const keyPart = { text: /^[^\0]{1,1000}$/, micros: /^\d{1,16}$/ }

/** Which page is asked for; the parts of the listing's key must match `parts`. @throws Problem */
export function readPage(query: { cursor?: string; limit?: number }, ...parts: RegExp[]): PageRequest {
  const limit = query.limit ?? STANDARD_LIMIT
  return query.cursor === undefined ? { limit } : { limit, after: readCursor(query.cursor, parts) }
}

function readCursor(cursor: string, parts: RegExp[]): string[] {
  const key = parseJson(Buffer.from(cursor, 'base64url').toString())
  if (Array.isArray(key) && key.length === parts.length && parts.every((part, i) => isMatch(part, key[i]))) return key
  throw new Problem('bad-request', {
    en: 'The cursor is not one that this listing gave out.',
    ja: 'cursor はこの一覧が発行したものではありません。',
  })
}

function isMatch(part: RegExp, value: unknown): boolean {
  return typeof value === 'string' && part.test(value)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not a cursor of ours, as the caller will say
  }
}

/** The page as clients get it. */
export function showPage<T, V>(page: Page<T>, show: (item: T) => V): { items: V[]; nextCursor?: string } {
  const items = page.items.map(show)
  if (page.next === undefined) return { items }
  return { items, nextCursor: Buffer.from(JSON.stringify(page.next)).toString('base64url') }
}
