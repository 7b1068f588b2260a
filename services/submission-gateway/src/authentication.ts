// AUTH (RFC 4954): by password, or by token where the operator has set an issuer (RFC 7628).
import { BEARER_MECHANISMS, type BearerMechanism, readBearer } from '@sekimori/login/bearer'
import type { Account, LoginOutcome } from '@sekimori/login/login'
import type { TokenLogin } from '@sekimori/login/token-login'
import { isAccountAddress, normalizeAddress } from '@sekimori/mail/address'
import { SmtpReply, TokenRefused } from '@sekimori/smtp/reply'
import type { SMTPServerAuthentication } from 'smtp-server'
import type { Ports } from './ports.ts'

/** Who has logged in. @throws SmtpReply */
export async function authenticate(
  auth: SMTPServerAuthentication,
  clientAddress: string,
  { login, tokens }: Ports,
): Promise<Account> {
  const mechanism = BEARER_MECHANISMS.find((name) => name === auth.method)
  if (mechanism !== undefined && tokens !== undefined) return byToken(mechanism, auth.accessToken ?? '', tokens)
  const { username = '', password, authzid = '' } = auth
  if (typeof password !== 'string' || !isAccountAddress(username)) throw wrongLogin()
  // Nobody acts as somebody else (RFC 4616 section 2).
  if (authzid !== '' && normalizeAddress(authzid) !== normalizeAddress(username)) throw wrongLogin()
  return decided(login({ address: username, password, clientAddress, service: 'smtp' }), wrongLogin)
}

async function byToken(mechanism: BearerMechanism, message: string, tokens: TokenLogin): Promise<Account> {
  const bearer = readBearer(mechanism, message)
  if (bearer === undefined) throw new SmtpReply(501, '5.5.2', 'The response can not be understood')
  return decided(tokens.check(bearer), () => new TokenRefused(tokens.refusal(mechanism)))
}

async function decided(check: Promise<LoginOutcome>, refusal: () => SmtpReply): Promise<Account> {
  const outcome = await check.catch((cause) => {
    throw loginImpossible({ cause })
  })
  switch (outcome.kind) {
    case 'ok':
      return outcome.account
    case 'refused':
      throw refusal()
    case 'slowed':
      throw new SmtpReply(454, '4.7.0', 'Too many failed logins from your network, please try again later')
    case 'busy':
      throw loginImpossible()
  }
}

function loginImpossible(options?: ErrorOptions): SmtpReply {
  return new SmtpReply(454, '4.7.0', 'Login is not possible at the moment, please try again later', options)
}

function wrongLogin(): SmtpReply {
  return new SmtpReply(535, '5.7.8', 'Address or password is wrong')
}
