// One certificate with its key, and what TLS is spoken with it: 1.2 and 1.3 with forward secrecy and AEAD (RFC 9325).
import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { PairText } from './certificate-files.ts'

/** A certificate chain with its key, PEM. */
export interface CertificatePair {
  cert: Buffer
  key: Buffer
  leaf: X509Certificate
}

const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap((cipher) => [
    `ECDHE-ECDSA-${cipher}`,
    `ECDHE-RSA-${cipher}`,
  ]),
].join(':')

const MODERN: SecureContextOptions = { minVersion: 'TLSv1.2', ciphers: CIPHERS }
/** For clients that know nothing newer: TLS 1.0 needs SHA-1 in signatures, which OpenSSL only allows at this level. */
const LEGACY: SecureContextOptions = { minVersion: 'TLSv1', ciphers: `${CIPHERS}:HIGH:!aNULL:@SECLEVEL=0` }

/** Reads what the files hold. @throws Error that names them, never their content, when they can't be used */
export function pairOf({ certificatePath, keyPath, cert, key }: PairText): CertificatePair {
  try {
    const leaf = new X509Certificate(cert)
    if (leaf.checkPrivateKey(createPrivateKey(key))) {
      createSecureContext({ cert, key }) // reads the certificates of issuers, too
      return { cert, key, leaf }
    }
  } catch (error) {
    // OpenSSL's messages hold nothing of the files.
    throw new Error(`${certificatePath} or ${keyPath} is no PEM certificate chain or key`, { cause: error })
  }
  throw new Error(`the key in ${keyPath} does not belong to the certificate in ${certificatePath}`)
}

/** A context with these certificates, each of another kind of key. */
export function secureContextOf(pairs: CertificatePair[], isLegacy: boolean): SecureContext {
  return createSecureContext({
    ...(isLegacy ? LEGACY : MODERN),
    cert: pairs.map(({ cert }) => cert),
    key: pairs.map(({ key }) => key),
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  })
}
