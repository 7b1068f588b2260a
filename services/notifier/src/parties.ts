// Who is warned of an infected mail: the authenticated sender and the local recipients, never anybody outside (S1-17..19, S1-28..32).
import type { JobHeader } from '@sekimori/mail/job'
import type { Directory, Member, NoticePreference } from '@sekimori/store/directory'

export type Role = 'sender' | 'recipient'

export interface Party {
  address: string
  role: Role
  /** The list through which the mail came to this party; such members are warned whatever they chose (S1-32). */
  list?: { address: string; name: string }
}

export interface PartyPorts {
  lookup: Directory['lookup']
  members(listAddress: string): Promise<Member[]>
  localVirusWarning: 'both' | 'sender'
}

/** Everybody whom the mail concerns, once each. Our own notices concern nobody. */
export async function concernedParties(job: JobHeader, ports: PartyPorts): Promise<Party[]> {
  if (job.session.receivedBy === 'internal') return []
  const parties = new Map<string, Party>()
  const sender = job.session.account
  if (sender === undefined || ports.localVirusWarning === 'both') {
    for (const { address } of job.envelope.recipients) await addRecipient(parties, address, ports)
  }
  // The sender who is also a list's member keeps the list's exception.
  if (sender !== undefined) parties.set(sender, { ...parties.get(sender), address: sender, role: 'sender' })
  return [...parties.values()]
}

/** The local recipients alone, once each, members in place of a list. */
export async function concernedRecipients(job: JobHeader, ports: PartyPorts): Promise<Party[]> {
  const parties = new Map<string, Party>()
  for (const { address } of job.envelope.recipients) await addRecipient(parties, address, ports)
  return [...parties.values()]
}

/** Of mail that was found infected in maildrops: those who had it there, and nobody else. */
export async function owners(job: JobHeader, list: string | undefined, ports: PartyPorts): Promise<Party[]> {
  const via = list === undefined ? {} : { list: await listOf(list, ports) }
  return job.envelope.recipients.map(({ address }) => ({ address, role: 'recipient', ...via }))
}

async function listOf(address: string, ports: PartyPorts): Promise<{ address: string; name: string }> {
  const found = await ports.lookup(address)
  // It may be gone since; its members had the mail through it all the same.
  return found.kind === 'list' ? { address: found.address, name: found.name } : { address, name: address }
}

/** More steps than this from alias to alias lead round in circles. */
const STEPS_MOST = 10

async function addRecipient(parties: Map<string, Party>, address: string, ports: PartyPorts, steps = 0): Promise<void> {
  const found = await ports.lookup(address)
  switch (found.kind) {
    case 'account':
      if (!parties.has(found.address)) parties.set(found.address, { address: found.address, role: 'recipient' })
      return
    case 'list':
      for (const member of await ports.members(found.address)) {
        parties.set(member.address, { address: member.address, role: 'recipient', list: found })
      }
      return
    case 'alias':
      // Who is behind an alias outside hears nothing; what an account forwards concerns the account.
      if (steps < STEPS_MOST) for (const target of found.targets) await addRecipient(parties, target, ports, steps + 1)
      return
    case 'foreign':
    case 'unknown':
      return
  }
}

/** Whether this party wants to be told (S1-28), or is told all the same (S1-32). */
export function wantsWarning(party: Party, preference: NoticePreference): boolean {
  return preference.hasVirusWarning || party.list !== undefined
}
