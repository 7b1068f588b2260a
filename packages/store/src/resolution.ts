// Where a mail goes in the end: aliases and forwarding followed, each end reached once, however many ways lead there.
import { normalizeAddress } from '@sekimori/mail/address'
import type { Directory, ListFound, Lookup, Member } from './directory.ts'

/** An end, or a step on the way to ends. `via` is the alias, list or forwarding account that led there. */
export type End =
  | { kind: 'maildrop'; member: Member; via?: string }
  | { kind: 'list'; list: ListFound; via?: string }
  /** `by` is the address that hands the mail on; `account` the account that wants it so. */
  | { kind: 'outside'; address: string; by: string; account?: string }
  /** An alias, or an account whose mail goes on: this recipient has its end here, others go on from it. */
  | { kind: 'passed'; address: string; stage: 'alias' | 'forward'; targets: number; via?: string }
  | { kind: 'dead'; address: string; because: 'unknown' | 'loop'; via?: string }

export interface ResolutionOptions {
  lookup: Directory['lookup']
  /** Addresses that have handed this mail on before (Delivered-To): they do not again. */
  passedBefore?: ReadonlySet<string>
  /** What an address that is not here stands for, if it is a rewritten sender of ours. */
  reverse?: (address: string) => Promise<string | undefined>
  /** Addresses that have the mail already, or get it in another way. */
  reached?: readonly string[]
  /** False when nothing may leave a maildrop by forwarding. */
  mayForward?: boolean
  /** Whether a copy stays in every maildrop that forwards. */
  keepsCopies?: boolean
}

/** More steps than this from alias to alias are a loop. */
const STEPS_MOST = 10

export class Resolution {
  #options: ResolutionOptions
  /** Whether an address that was visited leads anywhere; false while it is being visited. */
  #visited = new Map<string, boolean>()
  #ends: End[] = []

  constructor(options: ResolutionOptions) {
    this.#options = options
    for (const address of options.reached ?? []) this.#visited.set(normalizeAddress(address), true)
  }

  /** The ends found since the last call. */
  take(): End[] {
    return this.#ends.splice(0)
  }

  /** Follows a recipient of the envelope. */
  async add(address: string): Promise<void> {
    if (!(await this.#visit(address, undefined, undefined, 0)))
      this.#ends.push({ kind: 'dead', address, because: await this.#whyDead(address) })
  }

  /** Follows a member of a list whose account is known. */
  async addMember(member: Member, list: string): Promise<void> {
    if (this.#visited.has(member.address)) return
    await this.#visitAccount(member, list, 0)
  }

  /** Follows a member of a list who is elsewhere. */
  addOutsideMember(address: string, list: string): void {
    const normal = normalizeAddress(address)
    if (this.#visited.has(normal)) return
    this.#visited.set(normal, true)
    this.#ends.push({ kind: 'outside', address, by: list })
  }

  async #whyDead(address: string): Promise<'unknown' | 'loop'> {
    const { kind } = await this.#options.lookup(address)
    return kind === 'alias' || this.#visited.get(normalizeAddress(address)) === true ? 'loop' : 'unknown'
  }

  /** Resolves to whether the address leads anywhere. */
  async #visit(address: string, via: string | undefined, account: string | undefined, steps: number): Promise<boolean> {
    const normal = normalizeAddress(address)
    const known = this.#visited.get(normal)
    if (known !== undefined) return known
    if (steps > STEPS_MOST) return false
    this.#visited.set(normal, false)
    const leads = await this.#follow(await this.#options.lookup(address), address, via, account, steps)
    this.#visited.set(normal, leads)
    return leads
  }

  async #follow(
    found: Lookup,
    address: string,
    via: string | undefined,
    account: string | undefined,
    steps: number,
  ): Promise<boolean> {
    const led = via === undefined ? {} : { via }
    switch (found.kind) {
      case 'account':
        return this.#visitNamed(found, address, via, steps)
      case 'list':
        this.#ends.push({ kind: 'list', list: found, ...led })
        return true
      case 'alias':
        return this.#visitAlias(found, via, account, steps)
      case 'foreign':
        // A recipient of the envelope that is not ours was here when an edge took it.
        if (via === undefined) return false
        this.#ends.push({ kind: 'outside', address, by: via, ...(account === undefined ? {} : { account }) })
        return true
      case 'unknown': {
        const reversed = via === undefined ? await this.#options.reverse?.(address) : undefined
        if (reversed === undefined || !(await this.#visit(reversed, address, undefined, steps + 1))) return false
        this.#ends.push({ kind: 'passed', address, stage: 'alias', targets: 1 })
        return true
      }
    }
  }

  /** An account by its own name, or by name+tag@, which is a recipient of its own and leads to the same maildrop. */
  async #visitNamed(member: Member, address: string, via: string | undefined, steps: number): Promise<boolean> {
    if (member.address === normalizeAddress(address)) return this.#visitAccount(member, via, steps)
    const leads = this.#visited.get(member.address) ?? (await this.#visitAccount(member, address, steps))
    if (leads)
      this.#ends.push({ kind: 'passed', address, stage: 'alias', targets: 1, ...(via === undefined ? {} : { via }) })
    return leads
  }

  async #visitAccount(member: Member, via: string | undefined, steps: number): Promise<boolean> {
    const { address, forwardTo = [], keepsNoCopy } = member
    const led = via === undefined ? {} : { via }
    // A mail that comes back to an account which forwards it goes no further: its maildrop takes it.
    const isForwarded = forwardTo.length > 0 && this.#options.mayForward !== false && !this.#isLoop(address)
    this.#visited.set(address, false)
    const targets = isForwarded ? await this.#visitAll(forwardTo, address, address, steps) : 0
    this.#visited.set(address, true)
    if (targets > 0) this.#ends.push({ kind: 'passed', address, stage: 'forward', targets, ...led })
    if (targets === 0 || keepsNoCopy !== true || this.#options.keepsCopies === true)
      this.#ends.push({ kind: 'maildrop', member, ...led })
    return true
  }

  async #visitAlias(
    { address, targets }: { address: string; targets: string[] },
    via: string | undefined,
    account: string | undefined,
    steps: number,
  ): Promise<boolean> {
    if (this.#isLoop(address)) return false
    const reached = await this.#visitAll(targets, address, account, steps)
    if (reached === 0) return false
    const led = via === undefined ? {} : { via }
    this.#ends.push({ kind: 'passed', address, stage: 'alias', targets: reached, ...led })
    return true
  }

  async #visitAll(targets: string[], via: string, account: string | undefined, steps: number): Promise<number> {
    let reached = 0
    for (const target of targets) if (await this.#visit(target, via, account, steps + 1)) reached++
    return reached
  }

  #isLoop(address: string): boolean {
    return this.#options.passedBefore?.has(address) === true
  }
}
