// What we use of mailauth's own formatting, which it does not declare.
declare module 'mailauth/lib/tools.js' {
  /** One result as RFC 8601 section 2.2 writes it. */
  export function formatAuthHeaderRow(method: string, status: object, options?: { strict?: boolean }): string
}
