// MX gateway: mail from other servers on port 25, for local recipients.
import { contentHolder } from '@sekimori/mail/content'
import { openBroker } from '@sekimori/queue/broker'
import { publishAccepted } from '@sekimori/queue/publish-accepted'
import { scan } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { readCertificate } from '@sekimori/runtime/tls'
import { listenSmtp } from '@sekimori/smtp/listener'
import { storeContent } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { openDirectory } from '@sekimori/store/directory'
import { schema } from './config.ts'
import { inboundDecisions } from './session.ts'

const config = loadSettings(schema)
await using service = await openService('mx-gateway', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
const decisions = inboundDecisions(config, {
  directory: openDirectory(database),
  store: (queueId, input) => storeContent(database, queueId, contentHolder(queueId, 'inbound'), input),
  publish: (job) => publishAccepted(broker, scan, job),
})
const smtp = {
  name: config.MAIL_HOSTNAME,
  ...readCertificate(config),
  authOptional: true,
  disabledCommands: ['AUTH'],
  size: config.MAX_MESSAGE_BYTES,
  maxRecipients: config.MAX_RECIPIENTS,
  maxClients: config.MAX_SESSIONS,
  socketTimeout: 300_000,
}
const listening = { host: config.BIND_ADDRESS, port: config.MX_PORT, drainTimeoutMs: config.DRAIN_TIMEOUT_MS, smtp }
await using _listener = await listenSmtp(listening, decisions, service.log)
await service.untilStopped()
