// The authorities that vouch for remote servers' certificates.
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/** Trusts those of a PEM file too, beside the ones that everybody knows. */
export function trustAlso(path: string | undefined): void {
  if (path !== undefined) setDefaultCACertificates([...getCACertificates('default'), readFileSync(path, 'utf8')])
}
