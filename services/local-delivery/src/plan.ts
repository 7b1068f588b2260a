// Where a mail's recipients lead, before anything is done: maildrops, lists, addresses outside, and ends in nothing.
import { normalizeAddress } from '@sekimori/mail/address'
import { parseHeader, unfold } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import { type End, Resolution } from '@sekimori/store/resolution'
import { type TraceEntry, traceEntry } from '@sekimori/store/trace'
import { headIfThere } from './bounce.ts'
import type { Ports } from './ports.ts'

export type MaildropEnd = Extract<End, { kind: 'maildrop' }>
export type OutsideEnd = Extract<End, { kind: 'outside' }>
export type ListEnd = Extract<End, { kind: 'list' }>
export type DeadEnd = Extract<End, { kind: 'dead' }>

export interface Plan {
  /** Knows whom the mail has reached already. */
  resolution: Resolution
  maildrops: MaildropEnd[]
  outside: OutsideEnd[]
  lists: ListEnd[]
  dead: DeadEnd[]
  entries: TraceEntry[]
}

export async function planDelivery(job: Job, ports: Ports): Promise<Plan> {
  const plan = await follow(job, ports, new Set())
  // Only a mail that is handed on can go round in circles; no other one is worth reading its header for.
  const isHandedOn = plan.entries.length > 0
  const passedBefore = isHandedOn ? deliveredTo(await headIfThere(job, ports)) : new Set<string>()
  return passedBefore.size === 0 ? plan : follow(job, ports, passedBefore)
}

async function follow(job: Job, ports: Ports, passedBefore: ReadonlySet<string>): Promise<Plan> {
  const resolution = new Resolution({
    lookup: ports.lookup,
    passedBefore,
    ...(job.reached === undefined ? {} : { reached: job.reached }),
    // A warning is sent when it is in the maildrop of its party, and where it may still be stopped (S1-26).
    mayForward: job.warning === undefined,
    // A report that forwarding fails must not go where forwarding fails.
    keepsCopies: job.session.receivedBy === 'internal',
    // Rewritten senders take bounces and nothing else.
    reverse: async (address) => (job.envelope.mailFrom === '' ? ports.reverseSender(address) : undefined),
  })
  const addresses = new Set(job.envelope.recipients.map(({ address }) => address))
  for (const address of addresses) await resolution.add(address)
  return { resolution, ...sortEnds(job, resolution.take()) }
}

/** The ends by kind; steps on the way become entries of the trace. */
export function sortEnds(job: Job, ends: End[]): Omit<Plan, 'resolution'> {
  const plan: Omit<Plan, 'resolution'> = { maildrops: [], outside: [], lists: [], dead: [], entries: [] }
  for (const end of ends) {
    switch (end.kind) {
      case 'maildrop':
        plan.maildrops.push(end)
        break
      case 'outside':
        plan.outside.push(end)
        break
      case 'list':
        plan.lists.push(end)
        break
      case 'dead':
        plan.dead.push(end)
        break
      case 'passed':
        plan.entries.push(passedEntry(job, end))
        break
    }
  }
  return plan
}

function passedEntry(job: Job, { address, stage, targets, via }: Extract<End, { kind: 'passed' }>): TraceEntry {
  const outcome = stage === 'alias' ? 'expanded' : 'forwarded'
  const detail = `to ${targets} ${targets === 1 ? 'address' : 'addresses'}`
  return { ...traceEntry(job, address, stage, outcome, detail), ...(via === undefined ? {} : { via }) }
}

/** Who has handed the mail on before, as they noted in its header. */
function deliveredTo(head: Buffer): Set<string> {
  const fields = parseHeader(head).filter(({ name }) => name === 'delivered-to')
  return new Set(fields.map(({ value }) => normalizeAddress(unfold(value))))
}
