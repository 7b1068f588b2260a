// What a scripted remote server answers: rules looked through in order, the first that fits is used up and spoken.

/** Where in a session a rule applies; `message` is the answer to the final dot. */
export type Step = 'connect' | 'EHLO' | 'STARTTLS' | 'MAIL' | 'RCPT' | 'DATA' | 'message'

export interface ScriptedReply {
  at: Step
  /**
   * A reply line such as `451 4.3.2 later`; `close` hangs up, `silence` never answers, `taken in silence` (message) neither,
   * but keeps the mail, as does `taken, then close`. A 421 also hangs up.
   */
  reply: string
  /** Only for this recipient (RCPT), or for a mail to it (DATA, message). */
  recipient?: string
  /** How many times; default: always. */
  times?: number
}

export class Script {
  /** The rules that were used, in order. */
  readonly used: ScriptedReply[] = []
  /** What is said where no rule fits; undefined for what a well server says. */
  readonly #fails: (at: Step) => string | undefined
  readonly #rules: (ScriptedReply & { left: number })[] = []

  constructor(fails: (at: Step) => string | undefined = () => undefined) {
    this.#fails = fails
  }

  add(rule: ScriptedReply): void {
    this.#rules.push({ ...rule, left: rule.times ?? Number.POSITIVE_INFINITY })
  }

  clear(): void {
    this.#rules.length = 0
  }

  /** The scripted reply at this point, if there is one; counts as used. */
  next(at: Step, recipients: string[] = []): string | undefined {
    const fits = (rule: ScriptedReply) => rule.recipient === undefined || recipients.includes(rule.recipient)
    const rule = this.#rules.find((candidate) => candidate.left > 0 && candidate.at === at && fits(candidate))
    if (rule === undefined) return this.#fails(at)
    rule.left -= 1
    this.used.push(rule)
    return rule.reply
  }
}
