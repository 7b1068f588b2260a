// Many mails, remote servers that fail at random and services that are killed at random: does every accepted recipient
// come to exactly one end?
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '@sekimori/testing/eventually'
import { type RemoteServer, startRemoteServer } from '@sekimori/testing/remote-server'
import type { Stack } from '@sekimori/testing/stack'
import pg from 'pg'
import { type AcceptedMail, sendMails } from './accepted-mails.ts'
import { Chance } from './chance.ts'
import { killAtRandom } from './killing.ts'
import { randomFailure } from './remote-failures.ts'
import { account, type Report } from './report.ts'

export interface SoakOptions {
  mails: number
  seed: number
  /** How long the last end may take after the last mail. */
  withinMs: number
}

/** Between two looks at the ends, which are a long list. */
const POLL_MS = 500
const SENDERS = 8
const LOCAL_ACCOUNTS = 5
const REMOTE_DOMAINS = 20
const SERVER_HOSTS = ['127.0.0.51', '127.0.0.52', '127.0.0.53', '127.0.0.54']

/** Runs it on a system; whether the sums agree is for the caller to judge. */
export async function soak(stack: Stack, { mails, seed, withinMs }: SoakOptions): Promise<Report> {
  const chance = new Chance(seed)
  await using resources = new AsyncDisposableStack()
  const servers = await startServers(stack, resources, seed)
  const domains = Array.from({ length: REMOTE_DOMAINS }, (_, index) => remoteDomain(stack, index))
  const accounts = await Promise.all(Array.from({ length: LOCAL_ACCOUNTS }, () => stack.createMailbox()))
  const addressee = () =>
    chance.below(10) === 0 ? chance.pick(accounts).address : `u${chance.below(1_000_000)}@${chance.pick(domains)}`
  const senders = await Promise.all(Array.from({ length: SENDERS }, () => stack.createMailbox()))
  const over = new AbortController()
  const killing = killAtRandom(stack, new Chance(seed + 1), over.signal)
  const each = Math.ceil(mails / SENDERS)
  const accepted = (
    await Promise.all(senders.map((sender) => sendMails(stack, sender, addressee, each, chance)))
  ).flat()
  over.abort()
  const kills = await killing
  await stack.untilReady()
  await untilEnded(stack, accepted, withinMs)
  return account(accepted, await endsOf(stack, accepted), servers, kills)
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

export interface End {
  queueId: string
  recipient: string
  outcome: string
}

async function untilEnded(stack: Stack, accepted: AcceptedMail[], withinMs: number): Promise<void> {
  const wanted = accepted.reduce((sum, { recipients }) => sum + recipients.length, 0)
  const isThere = async () => {
    await wait(POLL_MS)
    return (await endsOf(stack, accepted)).length >= wanted
  }
  // Who gives up here finds the difference in the report.
  await eventually(isThere, { withinMs }).catch(() => {})
}

async function endsOf(stack: Stack, accepted: AcceptedMail[]): Promise<End[]> {
  const client = new pg.Client(stack.endpoints.databaseUrl)
  await client.connect()
  try {
    const { rows } = await client.query<{ queue_id: string; recipient: string; outcome: string }>(
      'select queue_id, recipient, outcome from message_trace where queue_id = any($1)',
      [accepted.map(({ queueId }) => queueId)],
    )
    return rows.map(({ queue_id, recipient, outcome }) => ({ queueId: queue_id, recipient, outcome }))
  } finally {
    await client.end()
  }
}
