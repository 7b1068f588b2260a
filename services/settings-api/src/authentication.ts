// Who calls: the administrator's bearer token (RFC 6750), compared in constant time, or a token for domains or an account.
import { createHash, timingSafeEqual } from 'node:crypto'
import { findToken } from '@sekimori/store/api-token'
import type { Database } from '@sekimori/store/database'
import type { FastifyRequest } from 'fastify'
import { type Caller, checkRoute } from './caller.ts'
import { Problem } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Which key the caller used, for the audit; it does not tell the key. */
    apiKeyId: string
  }
}

const KEY_ID_BYTES = 6

/** A hook that lets only requests with a token through, to where it is good for. It runs before a body is read. */
export function requireBearer(adminApiKey: string, database: Database): (request: FastifyRequest) => Promise<void> {
  const wanted = digest(adminApiKey)
  const keyId = apiKeyId(adminApiKey)
  return async (request) => {
    const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
    // Digests have one length, so that the comparison tells nothing about the key's.
    if (token !== undefined && timingSafeEqual(digest(token), wanted)) {
      request.apiKeyId = keyId
      request.caller = { kind: 'administrator' }
      return
    }
    const found = token === undefined ? undefined : await findToken(database, token)
    if (found !== undefined) {
      request.apiKeyId = found.id
      request.caller = callerOf(found)
      checkRoute(request)
      return
    }
    throw new Problem('unauthorized', {
      en: 'Send the header "Authorization: Bearer" with the key of the operator.',
      ja: 'ヘッダー「Authorization: Bearer」に運用者のキーを指定してください。',
    })
  }
}

function callerOf({ account, domains }: { account?: string; domains: string[] }): Caller {
  return account === undefined ? { kind: 'operator', domains } : { kind: 'account', address: account }
}

/** A name for a key: the same for the same key, and of no use for finding it. */
export function apiKeyId(key: string): string {
  return `admin-${digest(`key id of ${key}`).subarray(0, KEY_ID_BYTES).toString('hex')}`
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
