// Settings API: operators (and, in time, the portal) manage domains, accounts and lists, and ask what became of mail.
import { parseDnsServers } from '@sekimori/dns/settings'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { openDatabase } from '@sekimori/store/database'
import { readMasterKeys } from '@sekimori/store/seal'
import { standardLimits } from '@sekimori/store/sending-limit'
import { buildApp } from './app.ts'
import { schema } from './config.ts'
import { listenHttp } from './http-listener.ts'

const settings = loadSettings(schema)
await using service = await openService('settings-api', settings)
await using database = await openDatabase(settings, service)
const app = await buildApp({
  database,
  log: service.log,
  adminApiKey: settings.ADMIN_API_KEY,
  masterKey: readMasterKeys(settings.DKIM_MASTER_KEY)[0],
  mailHostname: settings.MAIL_HOSTNAME,
  sendingLimits: standardLimits(settings),
  dnsServers: parseDnsServers(settings.DNS_SERVERS),
})
await using _listener = await listenHttp(app, {
  host: settings.BIND_ADDRESS,
  port: settings.SETTINGS_API_PORT,
  drainTimeoutMs: settings.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
