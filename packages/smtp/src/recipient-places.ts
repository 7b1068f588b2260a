// Which recipient of a transaction an address is. Local parts tell case, domains don't (RFC 5321 section 2.4): Alice@b.test and
// alice@b.test may be two people.

interface Accepted {
  address: string
}

export class RecipientPlaces {
  /** The transaction that the places belong to. */
  #recipients: readonly Accepted[] = []
  readonly #places = new Map<string, number>()

  /** The place of an address among the recipients accepted so far; undefined for a new one. */
  find(address: string, recipients: readonly Accepted[]): number | undefined {
    if (recipients !== this.#recipients) this.#places.clear()
    this.#recipients = recipients
    for (let place = this.#places.size; place < recipients.length; place++)
      this.#places.set(keyOf(recipients[place]!.address), place)
    return this.#places.get(keyOf(address))
  }
}

function keyOf(address: string): string {
  const at = address.lastIndexOf('@') + 1
  return address.slice(0, at) + address.slice(at).toLowerCase()
}
