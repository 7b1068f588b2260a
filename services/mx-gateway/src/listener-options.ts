// The listener on port 25: STARTTLS for those who want it, never AUTH.
import { sessionLimits } from '@sekimori/smtp/limits'
import type { ListenerOptions } from '@sekimori/smtp/listener'
import type { Config } from './config.ts'

export function listenerOptions(
  config: Config,
  certificate: { cert: string | Buffer; key: string | Buffer },
): ListenerOptions {
  return {
    host: config.BIND_ADDRESS,
    port: config.MX_PORT,
    drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
    limits: sessionLimits(config),
    proxyNetworks: config.PROXY_PROTOCOL_NETWORKS,
    smtp: {
      name: config.MAIL_HOSTNAME,
      ...certificate,
      authOptional: true,
      disabledCommands: ['AUTH'],
      size: config.MAX_MESSAGE_BYTES,
      maxRecipients: config.MAX_RECIPIENTS,
      maxClients: config.MAX_SESSIONS,
      greetingDelay: config.GREETING_DELAY_MS,
    },
  }
}
