// Delivery on the real thing: dialogues with remote servers, as many and as long as the settings allow.
import { parseDuration } from '@sekimori/config/duration'
import type { Resolver } from '@sekimori/dns/resolver'
import type { Log } from '@sekimori/runtime/log'
import type { Database } from '@sekimori/store/database'
import { openDestinations } from '@sekimori/store/destination'
import { addOutboundMails } from '@sekimori/store/outbound-count'
import { Tally } from '@sekimori/store/tally'
import { addTlsResults, type TlsCount } from '@sekimori/store/tls-result'
import type { AttemptPorts, Delivery } from './attempt.ts'
import type { Config } from './config.ts'
import { type DeliverPorts, deliver } from './deliver.ts'
import { reportDelivery } from './delivery-report.ts'
import type { Destination } from './destination.ts'
import { domainsOf, findDestinations, smarthostDestinations } from './destinations.ts'
import { type Exchangers, openExchangers } from './mx.ts'
import { openStsPolicies } from './open-sts-policies.ts'
import { SessionPool } from './session-pool.ts'
import { Slots } from './slots.ts'
import { parseSmarthost, type Smarthost } from './smarthost.ts'
import { openSession, type SmtpOptions } from './smtp.ts'
import { tlsCount } from './tls-count.ts'

/** How long a mail waits for a free dialogue before it is put into the schedule. */
const SLOT_WAIT_MS = 5_000
/** Mails that wait so for the same slow destination: further ones are put into the schedule at once. */
const WAITERS_WHILE_SLOW = 8
/** Of the jobs in hand so many may wait for a destination that is quick. */
const QUICK_SHARE = 3 / 4
/** One server for everything: it is the only destination. */
const SMARTHOST_RATE_PER_SECOND = 1_000
/** How long mail of a destination without a free dialogue is left in the schedule. */
const REST_MS = 10_000

export interface Delivering extends AsyncDisposable {
  attempt: Pick<AttemptPorts, 'deliver' | 'destinations'>
  /** Domains whose mail is better left in the schedule now: their destinations have all the dialogues they may have. */
  restingDomains(): string[]
}

export function openDelivery(config: Config, resolver: Resolver, database: Database, log: Log): Delivering {
  const smarthost = config.SMARTHOST === undefined ? undefined : parseSmarthost(config.SMARTHOST)
  const results = new Tally<TlsCount>((counted) => addTlsResults(database, counted), log)
  const exchangers = openExchangers(exchangerOptions(config, resolver, smarthost))
  const sent = new Tally<object>(async ([mails]) => addOutboundMails(database, mails!.count), log)
  const sts = openStsPolicies({ config, resolver, database, log, exchangers, results })
  const ports = openDialogues(config, resolver, exchangers, smarthost, results)
  const policy = openDestinations(database)
  const resting = new Resting()
  const deliverNow = deliverer(config, ports, resting, smarthost !== undefined, log)
  return {
    attempt: {
      destinations: async (recipients) =>
        smarthost === undefined
          ? findDestinations(recipients, { route: exchangers.route, policy, sts })
          : smarthostDestinations(recipients, smarthost, policy),
      async deliver(mail, destination, signal) {
        const delivery = await deliverNow(mail, destination, signal)
        if (isTaken(delivery) && mail.envelope.mailFrom !== '') sent.add({})
        return delivery
      },
    },
    restingDomains: () => resting.domains(),
    async [Symbol.asyncDispose]() {
      ports.pool[Symbol.dispose]()
      await results[Symbol.asyncDispose]()
      await sent[Symbol.asyncDispose]()
    },
  }
}

function isTaken(delivery: Delivery): boolean {
  return delivery.kind === 'answered' && delivery.outcomes.values().some(({ kind }) => kind === 'sent')
}

function deliverer(
  config: Config,
  ports: DeliverPorts,
  resting: Resting,
  isSmarthost: boolean,
  log: Log,
): AttemptPorts['deliver'] {
  const attemptTimeoutMs = parseDuration(config.ATTEMPT_TIMEOUT)!
  const inHand = config.PREFETCH + config.DELIVERY_CONCURRENCY
  const slots = new Slots({
    total: config.DELIVERY_CONCURRENCY,
    perDestination: isSmarthost ? config.DELIVERY_CONCURRENCY : config.DESTINATION_CONCURRENCY,
    ratePerSecond: isSmarthost ? SMARTHOST_RATE_PER_SECOND : config.DESTINATION_RATE,
    waitMs: SLOT_WAIT_MS,
    waitersWhileSlow: isSmarthost ? inHand : WAITERS_WHILE_SLOW,
    waitersWhileQuick: isSmarthost ? inHand : Math.ceil(config.PREFETCH * QUICK_SHARE),
  })
  return async (mail, destination, signal) => {
    const name = destination.route?.kind === 'route' ? destination.route.key : destination.name
    using slot = await slots.take(name, signal)
    if (slot === undefined) {
      resting.add(destination)
      return { kind: 'busy' }
    }
    const startedAt = performance.now()
    const limited = AbortSignal.any([signal, AbortSignal.timeout(attemptTimeoutMs)])
    const outcomes = await deliver(mail, destination, ports, limited)
    slot.learn(outcomes.values())
    resting.remove(destination)
    reportDelivery(log, mail.queueId, destination.name, outcomes, performance.now() - startedAt)
    return { kind: 'answered', outcomes }
  }
}

class Resting {
  readonly #until = new Map<string, number>()

  add(destination: Destination): void {
    for (const domain of domainsOf(destination)) this.#until.set(domain, performance.now() + REST_MS)
  }

  remove(destination: Destination): void {
    for (const domain of domainsOf(destination)) this.#until.delete(domain)
  }

  domains(): string[] {
    const now = performance.now()
    for (const [domain, until] of this.#until) if (until <= now) this.#until.delete(domain)
    return [...this.#until.keys()]
  }
}

function exchangerOptions(config: Config, { resolveValidated }: Resolver, smarthost: Smarthost | undefined) {
  return {
    resolve: resolveValidated,
    hostname: config.MAIL_HOSTNAME,
    port: config.RELAY_PORT,
    connectTimeoutMs: parseDuration(config.CONNECT_TIMEOUT)!,
    refusesPrivateAddresses: config.RELAY_PRIVATE_ADDRESSES === 'refuse',
    ...(smarthost === undefined ? {} : { smarthost }),
  }
}

function openDialogues(
  config: Config,
  { resolveValidated }: Resolver,
  exchangers: Exchangers,
  smarthost: Smarthost | undefined,
  results: Tally<TlsCount>,
): DeliverPorts {
  const options: SmtpOptions = {
    ehloName: config.MAIL_HOSTNAME,
    greetingTimeoutMs: parseDuration(config.GREETING_TIMEOUT)!,
    commandTimeoutMs: parseDuration(config.COMMAND_TIMEOUT)!,
    dataTimeoutMs: parseDuration(config.DATA_TIMEOUT)!,
    dataEndTimeoutMs: parseDuration(config.DATA_END_TIMEOUT)!,
    ...(smarthost?.login === undefined ? {} : { login: smarthost.login }),
  }
  return {
    exchangers,
    resolve: resolveValidated,
    port: config.RELAY_PORT,
    openSession: (server, mode, signal) => openSession(server, mode, options, signal),
    ...(smarthost === undefined ? {} : { smarthostTls: smarthost.tls }),
    reportTls: (result) => results.add(tlsCount(result)),
    pool: new SessionPool({
      idleMs: parseDuration(config.SESSION_IDLE)!,
      mailsPerSession: config.SESSION_MAILS,
    }),
  }
}
