// For tests only: an OpenID Connect issuer on the loopback address, with discovery, keys and tokens.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export interface TestIssuer extends AsyncDisposable {
  url: string
  /** A token that is in order but for the changes. */
  token(claims: JWTPayload, changes?: { key?: CryptoKey; kid?: string; expiresIn?: string }): Promise<string>
}

export const AUDIENCE = 'sekimori-mail'

export async function startTestIssuer(): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] }
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/keys') response.end(JSON.stringify(keys))
    else response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url,
    token: (claims, { key = privateKey, kid = 'k1', expiresIn = '5m' } = {}) =>
      new SignJWT({ iss: url, aud: AUDIENCE, email_verified: true, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setExpirationTime(expiresIn)
        .sign(key),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
