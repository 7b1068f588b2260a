// What the calls about accounts share: the shape of an account, its password, and the address in the path.
import Type from 'typebox'
import { invalidValue } from '../invalid-value.ts'
import { readAddress } from '../name-input.ts'
import { Problem } from '../problem.ts'

/** Logins take no longer ones. */
const PASSWORD_MAX_LENGTH = 1_024

export const Locale = Type.Enum(['ja', 'en'], { description: 'language of warnings and reports; ja unless told' })
export const Password = Type.String({
  minLength: 8,
  maxLength: PASSWORD_MAX_LENGTH,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  description: 'no control characters',
})
export const Account = Type.Object({
  address: Type.String({ description: 'lower case, the domain as A-labels' }),
  domain: Type.String(),
  locale: Locale,
  createdAt: Type.String({ format: 'date-time' }),
  sendingStopped: Type.Optional(
    Type.Object(
      { at: Type.String({ format: 'date-time' }), reason: Type.String() },
      { description: 'present while the account may not send, because too many of its mails were infected' },
    ),
  ),
})
export const accountParams = Type.Object({ address: Type.String({ description: 'may be percent-encoded UTF-8' }) })

/** Schemas count characters, logins UTF-16 units. @throws Problem */
export function requireUsablePassword(password: string): string {
  if (password.length <= PASSWORD_MAX_LENGTH) return password
  const wrong = { en: `must not be longer than ${PASSWORD_MAX_LENGTH} UTF-16 units`, ja: '長すぎます' }
  throw invalidValue('invalid', '/password', wrong)
}

/** The address of a path in the form that is stored. @throws Problem when no account can have it */
export function requireAccountAddress(text: string): string {
  return readAddress(text) ?? noSuchAccount(text)
}

/** @throws Problem */
export function noSuchAccount(address: string): never {
  throw new Problem('not-found', { en: `There is no account ${address}.`, ja: `アカウント ${address} はありません。` })
}
