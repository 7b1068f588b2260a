// A negative SMTP reply (RFC 5321, RFC 3463): code, enhanced status and text for the client; the cause is only logged.

export class SmtpReply extends Error {
  override name = 'SmtpReply'
  readonly responseCode: number
  readonly enhancedCode: string

  constructor(responseCode: number, enhancedCode: string, text: string, options?: ErrorOptions) {
    super(text, options)
    this.responseCode = responseCode
    this.enhancedCode = enhancedCode
  }
}

/** A reply as any client takes it: more than ASCII is for those who have asked for SMTPUTF8 (RFC 6531 section 3.7.4). */
export function asciiReply(text: string): string {
  return text.replace(/\P{ASCII}/gu, '?')
}

/** A bearer token was refused; `data` tells the client why (RFC 7628 section 3.2.2). */
export class TokenRefused extends SmtpReply {
  override name = 'TokenRefused'
  readonly data: object

  constructor(data: object) {
    super(535, '5.7.8', 'The token is not accepted')
    this.data = data
  }
}

/** The system can't do its work now; the client keeps the mail and comes again. */
export function tryAgainLater(cause: unknown): SmtpReply {
  return new SmtpReply(451, '4.3.0', 'Temporary failure on our side, please try again later', { cause })
}
