// Domain names and addresses as clients write them, brought into the form that is stored.
import { isIPv4 } from 'node:net'
import { isAccountAddress, isDomainName, normalizeAddress, normalizeDomain } from '@sekimori/mail/address'
import { invalidValue } from './invalid-value.ts'

/** Letters, digits, dots and hyphens. Anything else would be read as more of a URL and cut off. */
const LABELS = /^[\p{L}\p{M}\p{N}.-]+$/u
const LONGEST_ADDRESS = 254

/** A domain name in lower case with A-labels; undefined when the text is none that could have accounts. */
export function readDomainName(text: string): string | undefined {
  const name = normalizeDomain(text)
  return LABELS.test(text) && isDomainName(name) && !isIPv4(name) ? name : undefined
}

/** An address as accounts and lists have it; undefined when the text is none. */
export function readAddress(text: string): string | undefined {
  const address = normalizeAddress(text)
  const isName = readDomainName(text.slice(text.lastIndexOf('@') + 1)) !== undefined
  return isName && address.length <= LONGEST_ADDRESS && isAccountAddress(address) ? address : undefined
}

/** The domain name at `pointer` of a body. @throws Problem */
export function requireDomainName(text: string, pointer: string): string {
  const name = readDomainName(text)
  if (name !== undefined) return name
  throw invalidValue('invalid', pointer, { en: 'is not a domain name', ja: 'ドメイン名ではありません' })
}

/** The address at `pointer` of a body. @throws Problem */
export function requireAddress(text: string, pointer: string): string {
  const address = readAddress(text)
  if (address !== undefined) return address
  throw invalidValue('invalid', pointer, {
    en: 'is not an address that can be used here: name@domain, without quotes or spaces',
    ja: '使用できるアドレスではありません（名前@ドメイン、引用符や空白は不可）',
  })
}
