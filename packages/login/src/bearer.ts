// Bearer tokens in SASL: OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner that mail clients still speak.
import { normalizeAddress } from '@sekimori/mail/address'

export const BEARER_MECHANISMS = ['XOAUTH2', 'OAUTHBEARER'] as const
export type BearerMechanism = (typeof BEARER_MECHANISMS)[number]

export interface Bearer {
  token: string
  /** Whom the client wants to be, normalised; undefined: whoever the token says. */
  address: string | undefined
}

/** Of a GS2 header without channel binding: the flag and perhaps an authorization identity (RFC 5801 section 4). */
const GS2_HEADER = /^[ny],(?:a=([^,]*))?,$/
/** RFC 6750 section 2.1. */
const TOKEN = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i

/** Reads the client's message; undefined when it is malformed. */
export function readBearer(mechanism: BearerMechanism, message: string): Bearer | undefined {
  const [first = '', ...fields] = message.split('\x01')
  if (fields.length < 2 || fields.at(-1) !== '' || fields.at(-2) !== '') return undefined
  const token = TOKEN.exec(fieldOf(fields, 'auth') ?? '')?.[1]
  if (token === undefined) return undefined
  if (mechanism === 'XOAUTH2') {
    const user = /^user=(.+)$/i.exec(first)?.[1]
    return user === undefined ? undefined : { token, address: normalizeAddress(user) }
  }
  const header = GS2_HEADER.exec(first)
  if (header === null) return undefined
  const name = header[1]?.replaceAll('=2C', ',').replaceAll('=3D', '=')
  return { token, address: name === undefined ? undefined : normalizeAddress(name) }
}

function fieldOf(fields: string[], name: string): string | undefined {
  const field = fields.find((text) => text.toLowerCase().startsWith(`${name}=`))
  return field?.slice(name.length + 1)
}

/** What the server says of a token that it does not take; the client answers, and the exchange fails (RFC 7628 section 3.2.2). */
export function bearerRefusal(mechanism: BearerMechanism, issuer: string): object {
  return mechanism === 'XOAUTH2'
    ? { status: '401', schemes: 'bearer', scope: 'openid email' }
    : { status: 'invalid_token', scope: 'openid email', 'openid-configuration': discoveryUrl(issuer) }
}

/** OpenID Connect Discovery 1.0 section 4. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}
