// The one recipient without a domain: <postmaster> is the postmaster of this host (RFC 5321 sections 4.1.1.3 and 4.5.1).

/** The recipient with its domain. */
export function completeRecipient(recipient: string, hostname: string): string {
  return /^postmaster$/i.test(recipient) ? `postmaster@${hostname}` : recipient
}
