// Errors as problem details (RFC 9457): every kind with its status, in English and Japanese, and the one shape they share.
import Type, { type Static } from 'typebox'

interface Kind {
  status: number
  title: string
  titleJa: string
}

/** Every kind of problem; its name is the last part of the `type` URI. */
export const problemKinds = {
  'bad-request': { status: 400, title: 'The request can not be understood', titleJa: 'リクエストを解釈できません' },
  unauthorized: { status: 401, title: 'A valid bearer token is needed', titleJa: '有効なベアラートークンが必要です' },
  forbidden: { status: 403, title: 'The token is not good for this', titleJa: 'このトークンでは許可されていません' },
  'not-found': { status: 404, title: 'There is no such thing', titleJa: '見つかりません' },
  'domain-exists': { status: 409, title: 'The domain exists already', titleJa: 'ドメインは既に存在します' },
  'domain-in-use': { status: 409, title: 'The domain is in use', titleJa: 'ドメインは使用中です' },
  'address-taken': { status: 409, title: 'The address is taken', titleJa: 'アドレスは既に使われています' },
  'dead-job-replaying': {
    status: 409,
    title: 'The dead job is being replayed',
    titleJa: '失敗したジョブは再実行中です',
  },
  'dkim-key-state': {
    status: 409,
    title: 'The DKIM key can not be put into that state',
    titleJa: 'DKIM 鍵をその状態にできません',
  },
  'last-member': {
    status: 409,
    title: 'The account is the last member of a list',
    titleJa: 'アカウントはメーリングリストの最後のメンバーです',
  },
  'never-released': {
    status: 409,
    title: 'The mail is never released from quarantine',
    titleJa: '隔離からの解放はできません',
  },
  'quarantine-settled': {
    status: 409,
    title: 'The mail is no longer kept in quarantine',
    titleJa: 'メールは既に隔離に保管されていません',
  },
  'suspension-over': {
    status: 409,
    title: 'The warning suspension is over',
    titleJa: '警告の停止は既に終了しています',
  },
  'too-many-app-passwords': {
    status: 409,
    title: 'The account has as many app passwords as it may have',
    titleJa: 'アプリパスワードの数が上限に達しています',
  },
  'too-large': { status: 413, title: 'The request is too large', titleJa: 'リクエストが大きすぎます' },
  'unsupported-media-type': {
    status: 415,
    title: 'The body must be JSON',
    titleJa: '本文は JSON でなければなりません',
  },
  invalid: { status: 422, title: 'The values are not valid', titleJa: '値が正しくありません' },
  'unknown-domain': { status: 422, title: 'The domain is not here', titleJa: 'ドメインが登録されていません' },
  'unknown-members': {
    status: 422,
    title: 'Some members are not local accounts',
    titleJa: 'ローカルアカウントではないメンバーがあります',
  },
  internal: { status: 500, title: 'The request failed', titleJa: '処理に失敗しました' },
  unavailable: { status: 503, title: 'Try again later', titleJa: 'しばらくしてから再度お試しください' },
} as const satisfies Record<string, Kind>

export type ProblemKind = keyof typeof problemKinds

/** The same text in both languages. */
export interface BilingualText {
  en: string
  ja: string
}

/** Where something is wrong, and what. */
const Fault = Type.Object({
  pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the body or the parameters' }),
  detail: Type.String(),
  detailJa: Type.String(),
})

export type Fault = Static<typeof Fault>

export const ProblemDetails = Type.Object(
  {
    type: Type.String({ description: 'URI reference of the kind of problem; GET it for an explanation' }),
    status: Type.Integer(),
    title: Type.String({ description: 'the kind of problem, in English' }),
    titleJa: Type.String({ description: 'the kind of problem, in Japanese' }),
    detail: Type.String({ description: 'this occurrence, in English' }),
    detailJa: Type.String({ description: 'this occurrence, in Japanese' }),
    instance: Type.Optional(Type.String({ description: 'identifies this occurrence in the log of the service' })),
    errors: Type.Optional(Type.Array(Fault)),
  },
  { $id: 'Problem', description: 'Problem details (RFC 9457), with Japanese texts beside the English ones' },
)

export type ProblemDetails = Static<typeof ProblemDetails>

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** Ends a request with a problem. Its texts are public: never put a cause or a secret into them. */
export class Problem extends Error {
  override name = 'Problem'
  readonly kind: ProblemKind
  readonly detail: BilingualText
  readonly faults: Fault[] | undefined

  constructor(kind: ProblemKind, detail: BilingualText, faults?: Fault[], options?: ErrorOptions) {
    super(detail.en, options)
    this.kind = kind
    this.detail = detail
    this.faults = faults
  }

  get status(): number {
    return problemKinds[this.kind].status
  }

  /** What the client gets. */
  details(instance?: string): ProblemDetails {
    const { status, title, titleJa } = problemKinds[this.kind]
    return {
      type: `/problems/${this.kind}`,
      status,
      title,
      titleJa,
      detail: this.detail.en,
      detailJa: this.detail.ja,
      ...(instance === undefined ? {} : { instance }),
      ...(this.faults === undefined ? {} : { errors: this.faults }),
    }
  }
}
