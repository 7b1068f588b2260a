// Addresses that hand mail on, made through the settings API of a running system.
import { randomUUID } from 'node:crypto'
import { DOMAIN, type Mailbox, type Stack } from './stack.ts'

const newAddress = (letter: string, domain = DOMAIN) => `${letter}-${randomUUID().slice(0, 13)}@${domain}`

/** An alias that no other test knows; resolves to its address. */
export async function createAlias(stack: Stack, targets: string[], address: string = newAddress('a')): Promise<string> {
  await expect(stack.api('POST', '/v1/aliases', { address, targets }), 201)
  return address
}

/** Lets the account's mail go on to these addresses. */
export async function forward(stack: Stack, { address }: Mailbox, targets: string[], keepsCopy = true): Promise<void> {
  await expect(stack.api('PUT', `/v1/accounts/${address}/forwarding`, { targets, keepsCopy }), 200)
}

/** Changes who may post to a list, who owns it, and who is on it without an account. */
export async function setList(stack: Stack, address: string, settings: object): Promise<void> {
  await expect(stack.api('PATCH', `/v1/lists/${encodeURIComponent(address)}/settings`, settings), 200)
}

/** A domain here that no other test knows; resolves to its name. */
export async function createDomain(stack: Stack, delivery?: object): Promise<string> {
  const name = `h-${randomUUID().slice(0, 13)}.test`
  await expect(stack.api('POST', '/v1/domains', { name }), 201)
  if (delivery !== undefined) await expect(stack.api('PATCH', `/v1/domains/${name}/delivery`, delivery), 200)
  return name
}

/** An account in a domain here. */
export async function createAccount(stack: Stack, address: string): Promise<Mailbox> {
  const mailbox = { address, password: randomUUID() }
  await expect(stack.api('POST', '/v1/accounts', mailbox), 201)
  return mailbox
}

async function expect(answer: ReturnType<Stack['api']>, status: number): Promise<void> {
  const { status: given, body } = await answer
  if (given !== status) throw new Error(`${given} ${JSON.stringify(body)}`)
}
