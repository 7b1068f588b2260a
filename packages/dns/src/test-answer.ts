// An A record in answer to a query, for tests that play a server by hand.
import { decode, encode, type Packet, RECURSION_AVAILABLE } from 'dns-packet'

/** Answers with `address`, except for what `change` replaces in the packet. */
export function answerWith(query: Buffer, address: string, change: Partial<Packet> = {}): Buffer {
  const { id, questions = [] } = decode(query)
  const answers = [{ type: 'A' as const, name: questions[0]!.name, ttl: 60, class: 'IN' as const, data: address }]
  return encode({ type: 'response', id, flags: RECURSION_AVAILABLE, questions, answers, ...change })
}
