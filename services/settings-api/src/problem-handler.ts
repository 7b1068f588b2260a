// Turns whatever ended a request early into problem details. Causes go to the log, never to the client.
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type BilingualText, PROBLEM_MEDIA_TYPE, Problem, type ProblemKind } from './problem.ts'
import { faultsOf } from './validation-fault.ts'

const RETRY_AFTER_SECONDS = 5

/** Fastify's error handler, for errors of its own as well as of handlers. */
export function answerWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error)
  const isInternal = problem.kind === 'internal'
  if (isInternal) request.log.error({ err: error }, 'request failed')
  if (problem.kind === 'unauthorized') reply.header('www-authenticate', challengeFor(request))
  if (problem.kind === 'unavailable') reply.header('retry-after', RETRY_AFTER_SECONDS)
  const details = problem.details(isInternal ? `urn:uuid:${request.id}` : undefined)
  void reply.code(problem.status).type(PROBLEM_MEDIA_TYPE).send(details)
}

/** The answer to a path that leads nowhere. */
export function noSuchCall(): never {
  throw new Problem('not-found', {
    en: 'There is no such call; /documentation lists them all.',
    ja: 'この呼び出しは存在しません。一覧は /documentation にあります。',
  })
}

/** RFC 6750 section 3: without a token the bare challenge, with a wrong one its error code. */
function challengeFor(request: FastifyRequest): string {
  const challenge = 'Bearer realm="Sekimori settings API"'
  return request.headers.authorization === undefined ? challenge : `${challenge}, error="invalid_token"`
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof DependencyAway) return new Problem('unavailable', texts.unavailable)
  const { validation, validationContext, statusCode = 500 } = error as FastifyError
  if (validation !== undefined) {
    if (validationContext === 'body') return new Problem('invalid', texts.invalid, faultsOf(validation))
    return new Problem('bad-request', texts.badParameter, faultsOf(validation))
  }
  const kind = kindOfStatus(statusCode)
  return new Problem(kind, kind === 'internal' ? texts.internal : texts.malformed)
}

function kindOfStatus(status: number): ProblemKind {
  if (status === 413) return 'too-large'
  if (status === 415) return 'unsupported-media-type'
  return status >= 400 && status < 500 ? 'bad-request' : 'internal'
}

const texts = {
  unavailable: {
    en: 'The database can not be reached at the moment. Nothing was changed.',
    ja: '現在データベースに接続できません。変更は行われていません。',
  },
  invalid: {
    en: 'Some values of the body are missing or not valid; errors names them.',
    ja: '本文の値に不足または誤りがあります。errors を確認してください。',
  },
  badParameter: {
    en: 'Some parameters are missing or not valid; errors names them.',
    ja: 'パラメータに不足または誤りがあります。errors を確認してください。',
  },
  malformed: {
    en: 'The URL, the headers or the JSON body can not be parsed, or are not of an accepted size and type.',
    ja: 'URL、ヘッダー、または JSON 本文を解釈できないか、サイズまたは形式が受け付けられません。',
  },
  internal: {
    en: 'Something went wrong on our side; the log of the service has the reason under this instance.',
    ja: 'サーバー側で問題が発生しました。原因は instance の識別子でサービスのログに記録されています。',
  },
} as const satisfies Record<string, BilingualText>
