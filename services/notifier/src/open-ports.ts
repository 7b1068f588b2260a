// The ports of the handler and of the summary loop on the real database and broker.
import { parseDuration } from '@sekimori/config/duration'
import type { Broker } from '@sekimori/queue/broker'
import { publishAlone } from '@sekimori/queue/publish-alone'
import type { Service } from '@sekimori/runtime/service'
import { contentOpener, readHead } from '@sekimori/store/content'
import type { Database } from '@sekimori/store/database'
import { listMembers, noticePreference, openDirectory } from '@sekimori/store/directory'
import { keyProblems, markKeyNotices } from '@sekimori/store/dkim-key-notice'
import { removeNotice, waitingNotices } from '@sekimori/store/notice-outbox'
import { countInfected } from '@sekimori/store/sending-stop'
import { insertTrace } from '@sekimori/store/trace'
import { decideWarnings } from '@sekimori/store/warning-decision'
import { closeSummary, dueSummaries, markSummaryPublished } from '@sekimori/store/warning-summary'
import type { Config } from './config.ts'
import type { Ports } from './handler.ts'
import type { KeyNoticePorts } from './key-notice-loop.ts'
import type { OutboxPorts } from './outbox-loop.ts'
import type { SummaryPorts } from './summary-loop.ts'

/** Summaries, or notices of the outbox, in one round. */
const ROUND = 50

export function openPorts(config: Config, database: Database): Ports {
  const open = contentOpener(database)
  const limits = { perHour: config.WARNING_LIMIT_PER_HOUR, summaryAfterMs: config.WARNING_SUMMARY_AFTER_MS }
  const infectedLimit = { mails: config.INFECTED_LIMIT, windowMinutes: config.INFECTED_WINDOW_MINUTES }
  return {
    hostname: config.MAIL_HOSTNAME,
    localVirusWarning: config.LOCAL_VIRUS_WARNING,
    lookup: openDirectory(database, config.MAIL_HOSTNAME).lookup,
    members: (listAddress) => listMembers(database, listAddress),
    preference: (address) => noticePreference(database, address),
    decide: (mail, parties) => decideWarnings(database, mail, parties, limits),
    countInfected: (job) => countInfected(database, job, infectedLimit),
    infectedLimit,
    trace: (entries) => insertTrace(database, entries),
    head: (content) => readHead(open(content)),
  }
}

export function openOutboxPorts(service: Service, database: Database, broker: Broker): OutboxPorts {
  return {
    waiting: () => waitingNotices(database, ROUND),
    remove: (id) => removeNotice(database, id),
    publish: (publication) => publishAlone(broker, publication),
    whenUp: (signal) => service.dependencies.whenUp(signal),
    log: service.log,
  }
}

export function openKeyNoticePorts(
  config: Config,
  service: Service,
  database: Database,
  broker: Broker,
): KeyNoticePorts {
  const [afterMs, repeatMs] = [config.DKIM_NOTICE_AFTER, config.DKIM_NOTICE_REPEAT].map((text) => parseDuration(text)!)
  return {
    hostname: config.MAIL_HOSTNAME,
    problems: () => keyProblems(database, afterMs!, repeatMs!),
    publish: (publication) => publishAlone(broker, publication),
    markTold: (problems) => markKeyNotices(database, problems),
    whenUp: (signal) => service.dependencies.whenUp(signal),
    log: service.log,
  }
}

export function openSummaryPorts(config: Config, service: Service, database: Database, broker: Broker): SummaryPorts {
  return {
    hostname: config.MAIL_HOSTNAME,
    due: () => dueSummaries(database, ROUND),
    close: (id) => closeSummary(database, id),
    markPublished: (id) => markSummaryPublished(database, id),
    whenUp: (signal) => service.dependencies.whenUp(signal),
    log: service.log,
    publish: (publication) => publishAlone(broker, publication),
  }
}
