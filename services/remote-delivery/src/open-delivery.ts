// Delivery on the real thing: dialogues with remote servers, as many and as long as the settings allow.

import { parseDuration } from '@sekimori/config/duration'
import type { Resolve } from '@sekimori/dns/resolver'
import type { Recipient } from '@sekimori/mail/job'
import type { Log } from '@sekimori/runtime/log'
import type { AttemptPorts } from './attempt.ts'
import type { Config } from './config.ts'
import { type DeliverPorts, deliver } from './deliver.ts'
import { reportDelivery } from './delivery-report.ts'
import { destinationsOf } from './destination.ts'
import { openExchangers } from './mx.ts'
import { Slots } from './slots.ts'
import { parseSmarthost, type Smarthost } from './smarthost.ts'
import { openSession, type SmtpOptions } from './smtp.ts'

/** How long a mail waits for a free dialogue before it is put into the schedule. */
const SLOT_WAIT_MS = 5_000

type Delivering = Pick<AttemptPorts, 'deliver' | 'destinations'>

export function openDelivery(config: Config, resolve: Resolve, log: Log): Delivering {
  const smarthost = config.SMARTHOST === undefined ? undefined : parseSmarthost(config.SMARTHOST)
  const ports = openDialogues(config, resolve, smarthost)
  const attemptTimeoutMs = parseDuration(config.ATTEMPT_TIMEOUT)!
  const slots = new Slots({
    total: config.DELIVERY_CONCURRENCY,
    perDestination: smarthost === undefined ? config.DESTINATION_CONCURRENCY : config.DELIVERY_CONCURRENCY,
    waitMs: SLOT_WAIT_MS,
  })
  return {
    destinations: (recipients: Recipient[]) => destinationsOf(recipients, smarthost),
    async deliver(mail, destination, signal) {
      using slot = await slots.take(destination.name, signal)
      if (slot === undefined) return { kind: 'busy' }
      const startedAt = performance.now()
      const limited = AbortSignal.any([signal, AbortSignal.timeout(attemptTimeoutMs)])
      const outcomes = await deliver(mail, destination, ports, limited)
      reportDelivery(log, mail.queueId, destination.name, outcomes, performance.now() - startedAt)
      return { kind: 'answered', outcomes }
    },
  }
}

function openDialogues(config: Config, resolve: Resolve, smarthost: Smarthost | undefined): DeliverPorts {
  const options: SmtpOptions = {
    ehloName: config.MAIL_HOSTNAME,
    greetingTimeoutMs: parseDuration(config.GREETING_TIMEOUT)!,
    commandTimeoutMs: parseDuration(config.COMMAND_TIMEOUT)!,
    dataTimeoutMs: parseDuration(config.DATA_TIMEOUT)!,
    dataEndTimeoutMs: parseDuration(config.DATA_END_TIMEOUT)!,
    ...(smarthost?.login === undefined ? {} : { login: smarthost.login }),
  }
  return {
    exchangers: openExchangers({
      resolve,
      port: config.RELAY_PORT,
      connectTimeoutMs: parseDuration(config.CONNECT_TIMEOUT)!,
      refusesPrivateAddresses: config.RELAY_PRIVATE_ADDRESSES === 'refuse',
      ...(smarthost === undefined ? {} : { smarthost }),
    }),
    openSession: (server, mode, signal) => openSession(server, mode, options, signal),
    tlsMode: smarthost?.tls ?? 'opportunistic',
  }
}
