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

/** The system can't do its work now; the client keeps the mail and comes again. */
export function tryAgainLater(cause: unknown): SmtpReply {
  return new SmtpReply(451, '4.3.0', 'Temporary failure on our side, please try again later', { cause })
}
