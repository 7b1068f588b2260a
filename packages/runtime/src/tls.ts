// Certificate and key of the listeners, from files.
import { readFileSync } from 'node:fs'

/** PEM texts for node:tls. Errors name the setting's file, never its content. */
export function readCertificate(settings: { TLS_CERT_FILE: string; TLS_KEY_FILE: string }): {
  cert: Buffer
  key: Buffer
} {
  return { cert: readFileSync(settings.TLS_CERT_FILE), key: readFileSync(settings.TLS_KEY_FILE) }
}
