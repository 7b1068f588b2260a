// npm run bench:tarpit: mails to 50 destinations, with all of them well and with one that tarpits. How long do the others
// take? Alternates the two, prints a table, and ends with status 1 when it is more than 1.2 times as long, or takes too long.
import { parseArgs } from 'node:util'
import { composeMail } from '@sekimori/testing/mail-text'
import { type RemoteServer, startRemoteServer } from '@sekimori/testing/remote-server'
import { type Stack, startStack } from '@sekimori/testing/stack'
import { unlimitedSending } from '@sekimori/testing/stack-settings'
import { stopOnSignal } from '@sekimori/testing/stop-on-signal'
import pg from 'pg'

const { values } = parseArgs({
  options: {
    mails: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '40' },
  },
})
const DESTINATIONS = 50
const CONNECTIONS = 16
const POLL_MS = 250
const RATIO_MOST = 1.2
const deadline = performance.now() + Number(values.minutes) * 60_000

interface World {
  stack: Stack
  client: pg.Client
  servers: RemoteServer[]
}

/** Sends to all destinations; resolves to the seconds until the last mail of all but the first has ended. */
async function run({ stack, client, servers }: World, mails: number, isTarpit: boolean): Promise<number> {
  const domains = servers.map(({ host }) => {
    const domain = stack.createRemoteDomain()
    stack.dns.set(`mx.${domain}`, 'A', [host])
    return domain
  })
  servers[0]!.unscript()
  if (isTarpit) servers[0]!.script({ at: 'connect', reply: 'silence' })
  const alice = await stack.createMailbox()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      await using smtp = await stack.dialSmtps(alice)
      for (let count = connection; count < mails; count += CONNECTIONS) {
        const to = `u${count}@${domains[count % DESTINATIONS]}`
        await smtp.send({ mailFrom: alice.address, recipients: [to] }, composeMail({ from: alice.address, to }))
      }
    }),
  )
  const wanted = mails - Math.ceil(mails / DESTINATIONS)
  for (let ended = 0; ended < wanted; ) {
    if (performance.now() > deadline)
      throw new Error(`${ended} of ${wanted} mails have ended after ${values.minutes} minutes`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    ended = await countEnds(client, alice.address, domains[0]!)
  }
  const seconds = (performance.now() - startedAt) / 1000
  await stack.api('POST', '/v1/deferred-mail/orders', { action: 'cancel', notice: false, domain: domains[0] })
  return seconds
}

async function countEnds(client: pg.Client, account: string, slow: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    "select count(*) from message_trace where account = $1 and recipient not like '%@' || $2",
    [account, slow],
  )
  return Number(rows[0]!.count)
}

async function main(): Promise<void> {
  await using stack = await startStack({ settings: unlimitedSending })
  stopOnSignal(stack)
  await using resources = new AsyncDisposableStack()
  const servers: RemoteServer[] = []
  for (let index = 0; index < DESTINATIONS; index++)
    servers.push(resources.use(await startRemoteServer({ host: `127.0.2.${index + 1}`, port: stack.remote.port })))
  const client = new pg.Client(stack.endpoints.databaseUrl)
  await client.connect()
  resources.defer(() => client.end())
  const world = { stack, client, servers }
  const mails = Number(values.mails)
  await run(world, Math.min(mails, 2_000), false)
  process.stdout.write('| mails | all well, s | one tarpits, s | ratio |\n| --- | --- | --- | --- |\n')
  for (let round = 0; round < Number(values.rounds); round++) {
    const [well, tarpit] = [await run(world, mails, false), await run(world, mails, true)]
    const cells = [mails, well.toFixed(1), tarpit.toFixed(1), (tarpit / well).toFixed(2)]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
    if (tarpit > well * RATIO_MOST) process.exitCode = 1
  }
}

await main()
