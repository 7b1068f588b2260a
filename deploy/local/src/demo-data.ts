// The demo domain with its accounts and its list, made through the settings API like anybody's.

import type { Secrets } from './secrets.ts'
import { StartFailure } from './start-failure.ts'

export interface DemoAccount {
  address: string
  password: string
}

const DOMAIN = 'example.test'

export function demoAccounts(secrets: Secrets): DemoAccount[] {
  return [
    { address: `alice@${DOMAIN}`, password: secrets.alicePassword },
    { address: `bob@${DOMAIN}`, password: secrets.bobPassword },
    { address: `carol@${DOMAIN}`, password: secrets.carolPassword },
  ]
}

/** Makes what isn't there yet. What somebody has changed since stays as it is. */
export async function seedDemoData(settingsApi: string, adminApiKey: string, secrets: Secrets): Promise<void> {
  const create = (path: string, body: object) => post(`${settingsApi}/v1/${path}`, adminApiKey, body)
  await create('domains', { name: DOMAIN })
  for (const account of demoAccounts(secrets)) await create('accounts', account)
  await create('lists', { address: `staff@${DOMAIN}`, members: [`bob@${DOMAIN}`, `carol@${DOMAIN}`] })
}

async function post(url: string, adminApiKey: string, body: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminApiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  const isThere = response.ok || response.status === 409
  if (!isThere)
    throw new StartFailure(
      `The demo data can't be made: POST ${url} answered ${response.status} ${text.slice(0, 300)}`,
      `デモデータを作成できません: POST ${url} → ${response.status}`,
    )
}
