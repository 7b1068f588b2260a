// Sessions kept open for the next mail to the same destination: no new connection and TLS handshake for each mail.
import type { Session } from './session.ts'

export interface PoolLimits {
  /** How long a session waits for the next mail. */
  idleMs: number
  /** Mails that one session takes; after them another server of the destination may get its share. */
  mailsPerSession: number
}

interface Idle {
  session: Session
  timer: NodeJS.Timeout
}

/** Disposing it ends all sessions. */
export class SessionPool implements Disposable {
  readonly #limits: PoolLimits
  readonly #idle = new Map<string, Idle[]>()
  #isClosed = false

  constructor(limits: PoolLimits) {
    this.#limits = limits
  }

  /** A session that waits for a mail to this destination. */
  take(key: string): Session | undefined {
    const idle = this.#idle.get(key) ?? []
    for (let next = idle.pop(); next !== undefined; next = idle.pop()) {
      clearTimeout(next.timer)
      if (idle.length === 0) this.#idle.delete(key)
      if (next.session.isUsable) return next.session
      next.session[Symbol.dispose]()
    }
    return undefined
  }

  /** Keeps the session for the next mail, or ends it. */
  give(key: string, session: Session): void {
    const { idleMs, mailsPerSession } = this.#limits
    if (this.#isClosed || idleMs === 0 || !session.isUsable || session.mails >= mailsPerSession) {
      session[Symbol.dispose]()
      return
    }
    const entry: Idle = { session, timer: setTimeout(() => this.#end(key, entry), idleMs) }
    const idle = this.#idle.get(key) ?? []
    this.#idle.set(key, idle)
    idle.push(entry)
  }

  #end(key: string, entry: Idle): void {
    const rest = (this.#idle.get(key) ?? []).filter((other) => other !== entry)
    if (rest.length > 0) this.#idle.set(key, rest)
    else this.#idle.delete(key)
    entry.session[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    for (const [key, idle] of this.#idle)
      for (const entry of [...idle]) {
        clearTimeout(entry.timer)
        this.#end(key, entry)
      }
  }
}
