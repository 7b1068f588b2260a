// Strangers' text as Postgres takes it: neither NUL nor half a surrogate pair, in text columns and inside jsonb.

/** The value as the text of a jsonb parameter. */
export function toJsonb(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'string' ? storableText(part) : part))
}

/** Text as a text column takes it; cut, if asked, to so many UTF-16 units. */
export function storableText(text: string, longest = Number.POSITIVE_INFINITY): string {
  return text.slice(0, longest).replaceAll('\0', '').toWellFormed()
}
