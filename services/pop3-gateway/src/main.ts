// The POP3 gateway: ports 110 and 995 on one side, the maildrops in Postgres on the other.
import { Admission } from '@sekimori/login/admission'
import { openLogin } from '@sekimori/login/login'
import { openTokenLogin } from '@sekimori/login/token-login'
import { openCertificates } from '@sekimori/runtime/certificates'
import { sessions } from '@sekimori/runtime/metrics'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { parseProxyNetworks } from '@sekimori/smtp/proxy-networks'
import { openDatabase } from '@sekimori/store/database'
import { renewLeases } from '@sekimori/store/maildrop-lease'
import { schema } from './config.ts'
import { LEASE_LIFE_MS, LeaseKeeper } from './lease-keeper.ts'
import { Pop3Server } from './server.ts'
import { storePorts } from './store-ports.ts'

const settings = loadSettings(schema)
await using service = await openService('pop3-gateway', settings)
await using database = await openDatabase(settings, service)
await using leases = new LeaseKeeper((held) => renewLeases(database, held, LEASE_LIFE_MS), service.log)
await using admission = new Admission(database, 'pop3', settings)
await using certificates = await openCertificates(settings, service.log)
await using server = new Pop3Server(
  {
    host: settings.BIND_ADDRESS,
    pop3Port: settings.POP3_PORT,
    pop3sPort: settings.POP3S_PORT,
    allowsPlaintextAuth: settings.PLAINTEXT_AUTH === 'allow',
    secureContext: certificates.contextFor,
    preferredLanguage: settings.POP3_LANGUAGE,
    idleTimeoutMs: settings.POP3_IDLE_TIMEOUT_MS,
    handshakeTimeoutMs: settings.HANDSHAKE_TIMEOUT_MS,
    loginTimeoutMs: settings.POP3_LOGIN_TIMEOUT_MS,
    maxSessions: settings.POP3_MAX_SESSIONS,
    isBalancer: parseProxyNetworks(settings.PROXY_PROTOCOL_NETWORKS),
    drainTimeoutMs: settings.DRAIN_TIMEOUT_MS,
  },
  {
    ...storePorts(database, await openLogin(database), leases, service.log, openTokenLogin(settings, database)),
    admission,
  },
  service.log,
  sessions,
)
service.log.info(await server.listen(), 'listening')
await service.untilStopped()
