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
    /** Whether operators may, and accounts not; it must ask `operatorDomains` what they may see. */
    isOpenToOperators?: boolean
  }
}

/** @throws Problem when a token's caller asks for what is the administrator's */
export function checkRoute({ caller, routeOptions: { config } }: FastifyRequest): void {
  if (caller.kind === 'administrator' || config.isOpenToTokens === true) return
  if (caller.kind === 'operator' && config.isOpenToOperators === true) return
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

/** The domains whose mail the caller may see and order about; undefined for all of them. */
export function operatorDomains(caller: Caller): string[] | undefined {
  switch (caller.kind) {
    case 'administrator':
      return undefined
    case 'operator':
      return caller.domains
    case 'account':
      return []
  }
}
