// Who calls the settings API and what that caller may see. A route that does not say otherwise is the administrator's.
import type { TraceScope } from '@sekimori/store/trace-query'
import type { FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

/** The administrator sees everything, an operator some domains, an account what is its own. */
export type Caller =
  | { kind: 'administrator' }
  | { kind: 'operator'; domains: string[] }
  | { kind: 'account'; address: string }

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
  interface FastifyContextConfig {
    /** Whether operators and accounts may call this route; it must ask `traceScope` or the like what they may see. */
    isOpenToTokens?: boolean
  }
}

/** @throws Problem when a token's caller asks for what is the administrator's */
export function checkRoute(request: FastifyRequest): void {
  if (request.caller.kind === 'administrator' || request.routeOptions.config.isOpenToTokens === true) return
  throw new Problem('forbidden', {
    en: 'This token may not be used for this call.',
    ja: 'このトークンではこの呼び出しを利用できません。',
  })
}

/** Whose mail the caller may see. */
export function traceScope(caller: Caller): TraceScope {
  switch (caller.kind) {
    case 'administrator':
      return { kind: 'all' }
    case 'operator':
      return { kind: 'domains', domains: caller.domains }
    case 'account':
      return { kind: 'account', address: caller.address }
  }
}
