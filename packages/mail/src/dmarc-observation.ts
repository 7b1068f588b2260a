// What one mail adds to the DMARC aggregate report of a domain (RFC 9990): everything that makes it the same as others, and
// nothing that names a person.

/** The policy as its record has it. `rua` is the tag's value. */
export interface PublishedPolicy {
  /** Where the record was found: the Policy Domain. */
  domain: string
  p: string
  sp: string
  np?: string
  adkim: 'r' | 's'
  aspf: 'r' | 's'
  fo?: string
  testing: 'y' | 'n'
  rua: string
}

export interface DmarcRow {
  sourceIp: string
  disposition: 'none' | 'pass' | 'quarantine' | 'reject'
  /** Aligned results. */
  dkim: 'pass' | 'fail'
  spf: 'pass' | 'fail'
  /** Why the disposition is not what the policy asks for. */
  override?: 'local_policy' | 'policy_test_mode'
  headerFrom: string
  /** Empty for the null reverse-path. */
  envelopeFrom: string
  signatures: { domain: string; selector: string; result: string }[]
  spfResult?: { domain: string; scope: 'helo' | 'mfrom'; result: string }
}

export interface DmarcObservation {
  policy: PublishedPolicy
  /** The registered domain of the Policy Domain. */
  organization: string
  row: DmarcRow
}
