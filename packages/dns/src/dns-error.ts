// The one error of this package, shaped like the errors of node:dns so that libraries can tell them apart by `code`.

/** Codes of node:dns. Only ENOTFOUND (no such name) and ENODATA (no such records) say something about the name. */
export type DnsErrorCode =
  | 'ENOTFOUND'
  | 'ENODATA'
  | 'ETIMEOUT'
  | 'ESERVFAIL'
  | 'EREFUSED'
  | 'EFORMERR'
  | 'ENOTIMP'
  | 'EBADRESP'
  | 'EBADNAME'
  | 'EBADQUERY'
  | 'ECONNREFUSED'
  | 'ECANCELLED'

export interface DnsErrorOptions extends ErrorOptions {
  isValidated?: boolean
}

/** A question that has no records for an answer. */
export class DnsError extends Error {
  override name = 'DnsError'
  readonly code: DnsErrorCode
  readonly syscall: string
  readonly hostname: string
  /** Of ENOTFOUND and ENODATA: whether the server has validated by DNSSEC that there is nothing. */
  readonly isValidated: boolean

  constructor(code: DnsErrorCode, name: string, type: string, options: DnsErrorOptions = {}) {
    const syscall = `query${type.charAt(0)}${type.slice(1).toLowerCase()}`
    const { stackTraceLimit } = Error
    // That there is nothing is an everyday answer, and its stack costs more than all else about it.
    if (code === 'ENOTFOUND' || code === 'ENODATA') Error.stackTraceLimit = 0
    super(code === 'EBADNAME' ? `${syscall} ${code}` : `${syscall} ${code} ${name}`, options)
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.syscall = syscall
    this.hostname = name
    this.isValidated = options.isValidated ?? false
  }
}
