// AUTH by bearer token, OAUTHBEARER (RFC 7628) and XOAUTH2: one message of the client; a refusal says why in a challenge,
// and the exchange fails after the client's answer to it.
import type { SMTPServerAuthentication, SMTPServerAuthenticationResponse } from 'smtp-server'
import SASL from 'smtp-server/lib/sasl.js'
import type { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { SmtpReply } from './reply.ts'

type Done = () => void
type Mechanism = (this: SMTPConnection, args: string[], done: Done) => void

/** The library knows no OAUTHBEARER, and reads XOAUTH2 its own way: both hand the client's whole message on. */
export function teachBearerMechanisms(): void {
  const mechanisms = SASL as unknown as Record<string, Mechanism>
  for (const method of ['XOAUTH2', 'OAUTHBEARER']) mechanisms[`SASL_${method}`] = mechanism(method)
}

function mechanism(method: string): Mechanism {
  return function (args, done) {
    const [initialResponse] = args
    if (initialResponse !== undefined) return take(this, method, initialResponse, done)
    this._nextHandler = (line: Buffer, next: Done) => take(this, method, line.toString(), next)
    this.send(334)
    done()
  }
}

function take(connection: SMTPConnection, method: string, text: string, done: Done): void {
  const accessToken = Buffer.from(text === '=' ? '' : text, 'base64').toString()
  const answer = (error: Error | null | undefined, response?: SMTPServerAuthenticationResponse) => {
    if (error) {
      const { responseCode = 535, enhancedCode } = error as Partial<SmtpReply>
      connection.send(responseCode, error.message, enhancedCode)
    } else if (response?.user === undefined) challenge(connection, response?.data ?? {})
    else {
      connection.session.user = response.user
      connection.session.transmissionType = connection._transmissionType()
      connection.send(235, 'Authentication successful')
    }
    done()
  }
  // What the types want besides is for other mechanisms.
  const auth = { method, username: '', accessToken } as unknown as SMTPServerAuthentication
  connection._server.onAuth(auth, connection.session, answer)
}

function challenge(connection: SMTPConnection, data: object): void {
  connection._nextHandler = (_line: Buffer, next: Done) => {
    connection.send(535, 'The token is not accepted', '5.7.8')
    next()
  }
  connection.send(334, Buffer.from(JSON.stringify(data)).toString('base64'))
}
