// MX gateway: mail from other servers on port 25, for local recipients.
import { srsKey } from '@sekimori/config/srs-settings'
import { createResolver } from '@sekimori/dns/resolver'
import { parseDnsServers } from '@sekimori/dns/settings'
import { Admission } from '@sekimori/login/admission'
import { contentHolder } from '@sekimori/mail/content'
import { openBroker } from '@sekimori/queue/broker'
import { publishAccepted } from '@sekimori/queue/publish-accepted'
import { scan } from '@sekimori/queue/queues'
import { openCertificates } from '@sekimori/runtime/certificates'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { listenSmtp } from '@sekimori/smtp/listener'
import { confirmContent, releaseContent, storeContent } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { openDirectory } from '@sekimori/store/directory'
import { greylistAge } from '@sekimori/store/greylist'
import { mayPost } from '@sekimori/store/list-expansion'
import { fullMaildrops } from '@sekimori/store/maildrop-usage'
import { openSenderRewriting } from '@sekimori/store/sender-rewriting'
import { UnderWayNotebook } from '@sekimori/store/under-way-notebook'
import { schema } from './config.ts'
import { listenerOptions } from './listener-options.ts'
import { openEnforcement } from './open-enforcement.ts'
import { inboundDecisions } from './session.ts'

const config = loadSettings(schema)
await using service = await openService('mx-gateway', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
await using enforcement = openEnforcement(config, database, service.log)
await using resolver = createResolver({ servers: parseDnsServers(config.DNS_SERVERS), timeoutMs: 2_000 })
const holder = (queueId: string) => contentHolder(queueId, 'inbound')
await using admission = new Admission(database, 'mx', config)
await using notebook = new UnderWayNotebook(database, service.log)
const senders = openSenderRewriting(database, srsKey(config))
const decisions = inboundDecisions(config, {
  admission,
  directory: openDirectory(database, config.MAIL_HOSTNAME),
  mayPost: (list, sender) => mayPost(database, list, sender),
  full: (members, sizeBytes) => fullMaildrops(database, members, sizeBytes),
  reverseSender: senders.reverse,
  store: (queueId, input) => storeContent(database, queueId, holder(queueId), input),
  publish: async (job) => {
    await publishAccepted(broker, scan, job, {
      release: (id) => releaseContent(database, id, holder(job.queueId)),
      confirm: (id) => confirmContent(database, id, holder(job.queueId)),
    })
    notebook.note(job)
  },
  lookupAddresses: (name, type) => resolver.resolve(name, type),
  greylistAge: (network, sender, recipient) => greylistAge(database, network, sender, recipient),
  ...enforcement.ports,
})
await using certificates = await openCertificates(config, service.log)
await using _listener = await listenSmtp(listenerOptions(config, certificates), decisions, service.log)
await service.untilStopped()
