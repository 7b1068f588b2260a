// Submission gateway: 587 with STARTTLS and 465 with implicit TLS, for accounts that log in.
import { Admission } from '@sekimori/login/admission'
import { openBroker } from '@sekimori/queue/broker'
import { openCertificates } from '@sekimori/runtime/certificates'
import { collectLessOften } from '@sekimori/runtime/heap'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { listenSmtp } from '@sekimori/smtp/listener'
import { openDatabase } from '@sekimori/store/database'
import { UnderWayNotebook } from '@sekimori/store/under-way-notebook'
import { UsageCounter } from '@sekimori/store/usage-counter'
import { schema } from './config.ts'
import { listenerOptions } from './listener-options.ts'
import { openSubmissionPorts } from './open-ports.ts'
import { submissionDecisions } from './session.ts'

collectLessOften()
const config = loadSettings(schema)
await using service = await openService('submission-gateway', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
await using admission = new Admission(database, 'submission', config)
await using usage = new UsageCounter(database)
await using notebook = new UnderWayNotebook(database, service.log)
const ports = await openSubmissionPorts(config, database, broker, admission, usage, notebook)
const decisions = submissionDecisions(config, ports)
await using certificates = await openCertificates(config, service.log)
const options = (encryption: 'starttls' | 'implicit') => listenerOptions(config, encryption, certificates)
await using _submission = await listenSmtp(options('starttls'), decisions, service.log)
await using _smtps = await listenSmtp(options('implicit'), decisions, service.log)
await service.untilStopped()
