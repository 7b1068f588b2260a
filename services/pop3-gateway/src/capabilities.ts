// What CAPA announces (RFC 2449 section 5): only what the client may use now.
import { mechanismNames } from './sasl.ts'

export interface Offer {
  /** Passwords are taken here: inside TLS, or anywhere when the operator allows it. */
  mayLogin: boolean
  /** AUTH takes bearer tokens. */
  takesTokens: boolean
  /** STLS would succeed now. */
  mayStartTls: boolean
}

/** The capability lines. Messages stay until the user deletes them, and nobody has to wait between logins. */
export function capabilities(offer: Offer): string[] {
  return [
    'TOP',
    'UIDL',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'PIPELINING',
    'UTF8 USER',
    'LANG',
    'EXPIRE NEVER',
    'LOGIN-DELAY 0',
    ...(offer.mayLogin ? ['USER', `SASL ${mechanismNames(offer.takesTokens).join(' ')}`] : []),
    ...(offer.mayStartTls ? ['STLS'] : []),
    'IMPLEMENTATION Sekimori',
  ]
}
