// Domains of a test's own, with a policy of their own for mail that can't be checked.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Mailbox, Stack } from './stack.ts'

interface Rule {
  action?: 'deliver' | 'hold' | 'refuse'
  notice?: boolean
}

/** A new domain that treats encrypted mail so; resolves to a function that makes mailboxes in it. */
export async function domainWithPolicy(stack: Stack, encrypted: Rule): Promise<() => Promise<Mailbox>> {
  const name = `p-${randomUUID().slice(0, 13)}.test`
  await called(stack, 'POST', '/v1/domains', { name })
  await called(stack, 'PATCH', `/v1/domains/${name}/virus-policy`, { unscannable: { encrypted } })
  return async () => {
    const address = `u-${randomUUID().slice(0, 8)}@${name}`
    const mailbox = { address, password: randomBytes(12).toString('hex') }
    await called(stack, 'POST', '/v1/accounts', mailbox)
    return mailbox
  }
}

async function called(stack: Stack, method: 'POST' | 'PATCH', path: string, body: unknown): Promise<void> {
  const answer = await stack.api(method, path, body)
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
}
