// The part of mailauth's signer that it declares no types for.
declare module 'mailauth/lib/dkim/dkim-signer.js' {
  import type { Writable } from 'node:stream'

  /** A field of the mail: `key` in lower case, `casedKey` as h= names it. */
  export interface ParsedField {
    key: string
    casedKey: string
  }

  /** Takes the mail and has the signatures when it is finished. */
  export class DkimSigner extends Writable {
    constructor(options: object)
    signatureHeaders: string[]
    errors: { err: Error }[]
    messageHeaders(headers: { parsed: ParsedField[] }): Promise<void>
  }
}
