// DKIM signer: signs every mail that leaves an account, then sends it towards maildrops and other servers.
import { createResolver } from '@sekimori/dns/resolver'
import { parseDnsServers } from '@sekimori/dns/settings'
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { sign } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { ContactNotebook } from '@sekimori/store/contact-notebook'
import { contentOpener, passContent, readHead } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { openDirectory } from '@sekimori/store/directory'
import { openCandidateKeys } from '@sekimori/store/dkim-key'
import { lookSoon } from '@sekimori/store/dkim-key-look'
import { unlessEnded } from '@sekimori/store/ended-mail'
import { readMasterKeys } from '@sekimori/store/seal'
import { schema } from './config.ts'
import { handleSign, type Ports } from './handler.ts'
import { signatureLines } from './mailauth.ts'
import { openKeyKeeper } from './open-key-keeper.ts'
import { sealLines } from './seal.ts'
import { openShownKeys } from './shown-keys.ts'
import { notingRecipients } from './written-to.ts'

const config = loadSettings(schema)
await using service = await openService('dkim-signer', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
await using resolver = createResolver({ servers: parseDnsServers(config.DNS_SERVERS), timeoutMs: 1_000, attempts: 1 })
const open = contentOpener(database)
const masterKeys = readMasterKeys(config.DKIM_MASTER_KEY)
const ports: Ports = {
  keys: openShownKeys({
    candidates: openCandidateKeys(database, masterKeys),
    resolve: resolver.resolve,
    lookSoon: (id) => lookSoon(database, id, new Date()),
    log: service.log,
  }),
  sign: (content, domain, keys) => signatureLines(content, domain, keys, open),
  seal: (job, domain, keys) => sealLines(job, domain, keys, open),
  lookup: openDirectory(database).lookup,
  head: (content) => readHead(open(content)),
  passContent: (id, from, to) => passContent(database, id, from, to),
}
await using notebook = new ContactNotebook(database, service.log)
await using _keeper = await openKeyKeeper(config, database, service, masterKeys)
const handle = unlessEnded(
  database,
  notingRecipients((job) => handleSign(job, ports), notebook),
)
await using _consumer = await consume(broker, sign, handle, {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
