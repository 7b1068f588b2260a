// The HTTP application: its bounds, its documentation, who may call, and the routes.
import { randomUUID } from 'node:crypto'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { Log } from '@sekimori/runtime/log'
import type { Database } from '@sekimori/store/database'
import type { SendingLimits } from '@sekimori/store/sending-limit'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { requireBearer } from './authentication.ts'
import type { PolicyHostOptions } from './dns-check/policy-host.ts'
import { openApi } from './open-api.ts'
import { ProblemDetails } from './problem.ts'
import { answerWithProblem, noSuchCall } from './problem-handler.ts'
import { observeRequests } from './request-log.ts'
import { oneAccountRoutes } from './routes/account.ts'
import { accountRoutes } from './routes/accounts.ts'
import { aliasRoutes } from './routes/aliases.ts'
import { appPasswordRoutes } from './routes/app-passwords.ts'
import { deadJobRoutes } from './routes/dead-jobs.ts'
import { deferredMailRoutes } from './routes/deferred-mail.ts'
import { deliverySettingsRoutes } from './routes/delivery-settings.ts'
import { destinationRoutes } from './routes/destinations.ts'
import { oneDkimKeyRoutes } from './routes/dkim-key.ts'
import { dkimKeyRoutes } from './routes/dkim-keys.ts'
import { dmarcPolicyRoutes } from './routes/dmarc-policy.ts'
import { dnsRoutes } from './routes/dns.ts'
import { dnsCheckRoutes } from './routes/dns-check.ts'
import { domainRoutes } from './routes/domains.ts'
import { forwardingRoutes } from './routes/forwarding.ts'
import { oneListRoutes } from './routes/list.ts'
import { listRoutes } from './routes/lists.ts'
import { messageRoutes } from './routes/messages.ts'
import { preferenceRoutes } from './routes/preferences.ts'
import { problemRoutes } from './routes/problems.ts'
import { quarantineRoutes } from './routes/quarantine.ts'
import { quarantineAccessRoutes } from './routes/quarantine-accesses.ts'
import { quarantineOrderRoutes } from './routes/quarantine-orders.ts'
import { reportingRoutes } from './routes/reporting.ts'
import { sendingLimitRoutes } from './routes/sending-limits.ts'
import { signatureRoutes } from './routes/signatures.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { virusPolicyRoutes } from './routes/virus-policy.ts'
import { suspensionRoutes } from './routes/warning-suspension.ts'
import { suspensionListRoutes } from './routes/warning-suspensions.ts'

const BODY_MAX_BYTES = 2_097_152
const REQUEST_TIMEOUT_MS = 30_000
const PARAMETER_MAX_LENGTH = 2_048

/** What the routes work with. */
export interface Context {
  database: Database
  log: Log
  adminApiKey: string
  /** Seals private DKIM keys. */
  masterKey: Buffer
  mailHostname: string
  /** Of accounts without limits of their own. */
  sendingLimits: SendingLimits
  /** As in DNS_SERVERS; empty: the machine's own. */
  dnsServers: string[]
  policyHost?: PolicyHostOptions
}

/** Builds the application; it does not listen yet. */
export async function buildApp(context: Context): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: context.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAMETER_MAX_LENGTH },
    // A request that came before the drain ends is answered like any other.
    return503OnClosing: false,
    frameworkErrors: answerWithProblem,
  })
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  app.setErrorHandler(answerWithProblem)
  app.setNotFoundHandler(noSuchCall)
  app.addSchema(ProblemDetails)
  observeRequests(app)
  await app.register(swagger, openApi)
  await app.register(swaggerUi, { routePrefix: '/documentation', staticCSP: true })
  await app.register(problemRoutes)
  await app.register((v1) => operatorRoutes(v1, context), { prefix: '/v1' })
  return app
}

async function operatorRoutes(v1: FastifyInstance, context: Context): Promise<void> {
  v1.decorateRequest('apiKeyId', '')
  v1.decorateRequest('caller')
  v1.addHook('onRequest', requireBearer(context.adminApiKey, context.database))
  v1.setNotFoundHandler(noSuchCall)
  await v1.register(domainRoutes(context))
  await v1.register(dmarcPolicyRoutes(context))
  await v1.register(dkimKeyRoutes(context))
  await v1.register(oneDkimKeyRoutes(context))
  await v1.register(dnsRoutes(context))
  await v1.register(dnsCheckRoutes(context))
  await v1.register(virusPolicyRoutes(context))
  await v1.register(accountRoutes(context))
  await v1.register(oneAccountRoutes(context))
  await v1.register(preferenceRoutes(context))
  await v1.register(sendingLimitRoutes(context))
  await v1.register(appPasswordRoutes(context))
  await v1.register(forwardingRoutes(context))
  await v1.register(aliasRoutes(context))
  await v1.register(deliverySettingsRoutes(context))
  await v1.register(listRoutes(context))
  await v1.register(oneListRoutes(context))
  await v1.register(quarantineRoutes(context))
  await v1.register(quarantineOrderRoutes(context))
  await v1.register(quarantineAccessRoutes(context))
  await v1.register(messageRoutes(context))
  await v1.register(tokenRoutes(context))
  await v1.register(deferredMailRoutes(context))
  await v1.register(destinationRoutes(context))
  await v1.register(suspensionListRoutes(context))
  await v1.register(suspensionRoutes(context))
  await v1.register(reportingRoutes(context))
  await v1.register(signatureRoutes(context))
  await v1.register(deadJobRoutes(context))
}
