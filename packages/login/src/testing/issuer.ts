// For tests only: an OpenID Connect issuer on the loopback address, with discovery, keys and tokens.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export interface TestIssuer extends AsyncDisposable {
  url: string
  /** A token that is in order but for the changes. */
  token(claims: JWTPayload, changes?: { key?: CryptoKey; kid?: string; expiresIn?: string }): Promise<string>
  /** Puts another key in the place of the one before, which is shown no more. */
  rotate(): Promise<void>
}

export const AUDIENCE = 'sekimori-mail'

async function makeKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  return { privateKey, shown: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
}

export async function startTestIssuer(): Promise<TestIssuer> {
  let current = await makeKey('k1')
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/keys') response.end(JSON.stringify({ keys: [current.shown] }))
    else response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url,
    token: (claims, { key = current.privateKey, kid = current.shown.kid, expiresIn = '5m' } = {}) =>
      new SignJWT({ iss: url, aud: AUDIENCE, email_verified: true, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setExpirationTime(expiresIn)
        .sign(key),
    async rotate() {
      current = await makeKey(`${current.shown.kid}+`)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
