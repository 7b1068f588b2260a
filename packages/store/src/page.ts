// Pages of a listing: each page goes on after the key of the last row of the one before, however the table changes meanwhile.

/** Which page is wanted: the rows after the key `after` (the first ones without it), at most `limit`. */
export interface PageRequest {
  after?: string[] | undefined
  limit: number
}

/** One page; `next` is the key to go on after, absent on the last page. */
export interface Page<T> {
  items: T[]
  next?: string[]
}

/** Makes a page of rows that were asked for with `limit + 1`: the surplus row only says that there is more. */
export function cutPage<R, T>(rows: R[], limit: number, keyOf: (row: R) => string[], toItem: (row: R) => T): Page<T> {
  const items = rows.slice(0, limit).map(toItem)
  const last = rows[limit - 1]
  return rows.length > limit && last !== undefined ? { items, next: keyOf(last) } : { items }
}
