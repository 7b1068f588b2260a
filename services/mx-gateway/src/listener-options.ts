// The listener on port 25: STARTTLS for those who want it, never AUTH.
import { widerNetworkOf } from '@sekimori/login/network'
import type { CertificateSource } from '@sekimori/runtime/certificates'
import { sessionLimits } from '@sekimori/smtp/limits'
import type { ListenerOptions } from '@sekimori/smtp/listener'
import type { Config } from './config.ts'

export function listenerOptions(config: Config, certificates: CertificateSource): ListenerOptions {
  return {
    host: config.BIND_ADDRESS,
    port: config.MX_PORT,
    drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
    certificates,
    limits: sessionLimits(config),
    proxyNetworks: config.PROXY_PROTOCOL_NETWORKS,
    networkOf: widerNetworkOf,
    smtp: {
      name: config.MAIL_HOSTNAME,
      authOptional: true,
      disabledCommands: ['AUTH'],
      // Strangers get no notifications: the server that knows that tells its sender itself (RFC 3461 section 5.2.2).
      hideDSN: true,
      size: config.MAX_MESSAGE_BYTES,
      maxRecipients: config.MAX_RECIPIENTS,
      maxClients: config.MAX_SESSIONS,
      greetingDelay: config.GREETING_DELAY_MS,
    },
  }
}
