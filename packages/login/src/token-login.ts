// Logins by access token of an OpenID Connect issuer: signature, issuer, audience and time checked, then the account.
import { normalizeAddress } from '@sekimori/mail/address'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { logins } from '@sekimori/runtime/metrics'
import type { Database } from '@sekimori/store/database'
import { findAccountId } from '@sekimori/store/login-account'
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type Bearer, type BearerMechanism, bearerRefusal, discoveryUrl } from './bearer.ts'
import type { LoginOutcome } from './login.ts'

export interface TokenSettings {
  OAUTH_ISSUER: string
  OAUTH_AUDIENCE: string
  OAUTH_ADDRESS_CLAIM: string
}

export interface TokenLogin {
  /** Checks a token. @throws DependencyAway when the issuer's keys, or the account, can't be had */
  check(bearer: Bearer): Promise<LoginOutcome>
  /** What to tell a client whose token is refused. */
  refusal(mechanism: BearerMechanism): object
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const FETCH_TIMEOUT_MS = 5_000
const CLOCK_TOLERANCE = '30s'
/** What jose says of keys that could not be had; everything else that it says is about the token. */
const AWAY = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'])

/** The check; undefined when no issuer is set, which is the default. */
export function openTokenLogin(settings: TokenSettings, database: Database): TokenLogin | undefined {
  const issuer = settings.OAUTH_ISSUER
  if (issuer === '') return undefined
  const keys = issuerKeys(issuer)
  return {
    async check(bearer) {
      const outcome = await checkBearer(bearer, settings, keys, database)
      logins.inc({ result: outcome.kind })
      return outcome
    },
    refusal: (mechanism) => bearerRefusal(mechanism, issuer),
  }
}

async function checkBearer(
  { token, address }: Bearer,
  settings: TokenSettings,
  keys: () => Promise<JWTVerifyGetKey>,
  database: Database,
): Promise<LoginOutcome> {
  const payload = await verify(token, settings, keys)
  const owner = payload && addressIn(payload, settings.OAUTH_ADDRESS_CLAIM)
  if (owner === undefined || (address !== undefined && address !== owner)) return { kind: 'refused' }
  const id = await findAccountId(database, owner)
  return id === undefined ? { kind: 'refused' } : { kind: 'ok', account: { id, address: owner } }
}

async function verify(
  token: string,
  { OAUTH_ISSUER: issuer, OAUTH_AUDIENCE: audience }: TokenSettings,
  keys: () => Promise<JWTVerifyGetKey>,
): Promise<JWTPayload | undefined> {
  try {
    const options = {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE,
      requiredClaims: ['exp'],
    }
    return (await jwtVerify(token, await keys(), options)).payload
  } catch (error) {
    if (error instanceof errors.JOSEError && !AWAY.has(error.code)) return undefined
    throw new DependencyAway('the issuer of tokens', { cause: error })
  }
}

/** An address that the issuer has not verified may be anybody's. */
function addressIn(payload: JWTPayload, claim: string): string | undefined {
  const value = payload[claim]
  if (typeof value !== 'string' || !value.includes('@')) return undefined
  return claim === 'email' && payload.email_verified !== true ? undefined : normalizeAddress(value)
}

/** The issuer's keys, found by discovery at the first login; jose keeps and renews them. */
function issuerKeys(issuer: string): () => Promise<JWTVerifyGetKey> {
  let known: JWTVerifyGetKey | undefined
  return async () => {
    known ??= createRemoteJWKSet(await findKeysUrl(issuer), { timeoutDuration: FETCH_TIMEOUT_MS })
    return known
  }
}

async function findKeysUrl(issuer: string): Promise<URL> {
  const response = await fetch(discoveryUrl(issuer), {
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    redirect: 'error',
  })
  if (!response.ok) throw new Error(`${discoveryUrl(issuer)} answered ${response.status}`)
  const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown }
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string')
    throw new Error(`${discoveryUrl(issuer)} is not the configuration of ${issuer}`)
  return new URL(document.jwks_uri)
}
