// The two listeners: the same service, encrypted from the start or after STARTTLS.
import { BEARER_MECHANISMS } from '@sekimori/login/bearer'
import { widerNetworkOf } from '@sekimori/login/network'
import type { CertificateSource } from '@sekimori/runtime/certificates'
import { sessionLimits } from '@sekimori/smtp/limits'
import type { ListenerOptions } from '@sekimori/smtp/listener'
import type { Config } from './config.ts'

/** Listener options; `AUTH` is neither offered nor accepted in clear text unless the operator allows it. */
export function listenerOptions(
  config: Config,
  encryption: 'starttls' | 'implicit',
  certificates: CertificateSource,
): ListenerOptions {
  return {
    host: config.BIND_ADDRESS,
    port: encryption === 'implicit' ? config.SMTPS_PORT : config.SUBMISSION_PORT,
    drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
    certificates,
    limits: sessionLimits(config),
    proxyNetworks: config.PROXY_PROTOCOL_NETWORKS,
    networkOf: widerNetworkOf,
    smtp: {
      name: config.MAIL_HOSTNAME,
      secure: encryption === 'implicit',
      allowInsecureAuth: config.PLAINTEXT_AUTH === 'allow',
      authMethods: ['PLAIN', 'LOGIN', ...(config.OAUTH_ISSUER === '' ? [] : BEARER_MECHANISMS)],
      authRequiredMessage: 'Authentication required',
      size: config.MAX_MESSAGE_BYTES,
      maxRecipients: config.MAX_RECIPIENTS,
      maxClients: config.MAX_SESSIONS,
      greetingDelay: config.GREETING_DELAY_MS,
    },
  }
}
