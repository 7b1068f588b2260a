// The `domain` query parameter of listings.
import Type from 'typebox'
import { readDomainName } from '../name-input.ts'
import { Problem } from '../problem.ts'

export const domainFilter = {
  domain: Type.Optional(Type.String({ maxLength: 253, description: 'only those of this domain' })),
}

/** The domain asked for in the form that is stored. @throws Problem */
export function readDomainFilter({ domain }: { domain?: string }): string | undefined {
  if (domain === undefined) return undefined
  const name = readDomainName(domain)
  if (name !== undefined) return name
  throw new Problem('bad-request', {
    en: 'The parameter domain is not a domain name.',
    ja: 'パラメータ domain はドメイン名ではありません。',
  })
}
