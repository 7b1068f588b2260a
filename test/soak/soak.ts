// Many mails, remote servers that fail at random and services that are killed at random: does every accepted recipient
// come to exactly one end?
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type RemoteServer, startRemoteServer } from '@sekimori/testing/remote-server'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { type Sender, sendMails } from './accepted-mails.ts'
import { Chance } from './chance.ts'
import { type EndsReader, openEnds } from './ends.ts'
import { killAtRandom } from './killing.ts'
import { randomFailure } from './remote-failures.ts'
import { account, type Report } from './report.ts'

export interface SoakOptions {
  mails: number
  seed: number
  /** How long all of it may take; what is not done by then is missing in the report. */
  withinMs: number
}

/** Between two looks at the ends, which are many. */
const POLL_MS = 1_000
/** Clients with accounts, and other servers, which send to accounts here. */
const CLIENTS = 8
const STRANGERS = 2
const LOCAL_ACCOUNTS = 5
const REMOTE_DOMAINS = 20
const SERVER_HOSTS = ['127.0.0.51', '127.0.0.52', '127.0.0.53', '127.0.0.54']

/** Runs it on a system; whether the sums agree is for the caller to judge. */
export async function soak(stack: Stack, { mails, seed, withinMs }: SoakOptions): Promise<Report> {
  const chance = new Chance(seed)
  const deadline = AbortSignal.timeout(withinMs)
  await using resources = new AsyncDisposableStack()
  const servers = await startServers(stack, resources, seed)
  const senders = await makeSenders(stack, chance)
  const over = new AbortController()
  const killing = killAtRandom(stack, new Chance(seed + 1), over.signal)
  const each = Math.ceil(mails / senders.length)
  const sending = senders.map((sender) => sendMails(sender, each, chance, deadline))
  const accepted = (await Promise.all(sending)).flat()
  over.abort()
  const kills = await killing
  await stack.untilReady()
  const queueIds = accepted.map(({ queueId }) => queueId)
  const ends = resources.use(await openEnds(stack, queueIds))
  await untilEnded(
    ends,
    accepted.reduce((sum, { recipients }) => sum + recipients.length, 0),
    deadline,
  )
  return account(mails, accepted, { ends: await ends.ends(), delivered: await ends.copies(), servers }, kills)
}

async function makeSenders(stack: Stack, chance: Chance): Promise<Sender[]> {
  const domains = Array.from({ length: REMOTE_DOMAINS }, (_, index) => remoteDomain(stack, index))
  const mailboxes = (count: number) => Promise.all(Array.from({ length: count }, () => stack.createMailbox()))
  const accounts = await mailboxes(LOCAL_ACCOUNTS)
  const someAccount = () => chance.pick(accounts).address
  const anybody = () => (chance.below(10) === 0 ? someAccount() : `u${chance.below(1_000_000)}@${chance.pick(domains)}`)
  const client = (mailbox: Mailbox): Sender => ({
    mailFrom: mailbox.address,
    dial: () => stack.dialSmtps(mailbox),
    addressee: anybody,
  })
  const stranger: Sender = {
    mailFrom: 'stranger@sender.example',
    dial: () => stack.dialMx(),
    addressee: someAccount,
  }
  return [...(await mailboxes(CLIENTS)).map(client), ...Array.from({ length: STRANGERS }, () => stranger)]
}

async function startServers(stack: Stack, resources: AsyncDisposableStack, seed: number): Promise<RemoteServer[]> {
  return Promise.all(
    SERVER_HOSTS.map(async (host, index) => {
      const fails = randomFailure(new Chance(seed + 100 + index))
      return resources.use(await startRemoteServer({ host, port: stack.remote.port, fails }))
    }),
  )
}

/** A domain with two of the servers, in turn. */
function remoteDomain(stack: Stack, index: number): string {
  const domain = `soak-${randomUUID().slice(0, 8)}.test`
  const hosts = [SERVER_HOSTS[index % SERVER_HOSTS.length]!, SERVER_HOSTS[(index + 1) % SERVER_HOSTS.length]!]
  stack.dns.set(
    domain,
    'MX',
    hosts.map((_, one) => ({ exchange: `mx${one}.${domain}`, priority: 10 })),
  )
  for (const [one, host] of hosts.entries()) stack.dns.set(`mx${one}.${domain}`, 'A', [host])
  return domain
}

/** Who gives up here finds the difference in the report. */
async function untilEnded(ends: EndsReader, wanted: number, deadline: AbortSignal): Promise<void> {
  while (!deadline.aborted && (await ends.count()) < wanted)
    await wait(POLL_MS, undefined, { signal: deadline }).catch(() => {}) // that is looked at next
}
