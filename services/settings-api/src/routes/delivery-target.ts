// Addresses to which mail is handed on: anywhere outside, and addresses that exist here.
import type { Database } from '@sekimori/store/database'
import { openDirectory } from '@sekimori/store/directory'
import Type from 'typebox'
import { invalidValue } from '../invalid-value.ts'
import { requireAddress } from '../name-input.ts'

export const addresses = (description: string, maxItems: number, minItems = 0) =>
  Type.Array(Type.String({ maxLength: 320 }), { minItems, maxItems, description })

/** The addresses in the form that is stored. @throws Problem for one that is none, or that is nobody's here */
export async function requireTargets(database: Database, texts: string[], pointer: string): Promise<string[]> {
  const directory = openDirectory(database)
  const targets = texts.map((text, i) => requireAddress(text, `${pointer}/${i}`))
  for (const [i, target] of targets.entries())
    if ((await directory.lookup(target)).kind === 'unknown')
      throw invalidValue('invalid', `${pointer}/${i}`, {
        en: 'is an address of a domain here, and there is no such address',
        ja: '当サーバーのドメインに存在しないアドレスです',
      })
  return targets
}

/** The same for addresses that must be elsewhere. @throws Problem */
export async function requireOutside(database: Database, texts: string[], pointer: string): Promise<string[]> {
  const directory = openDirectory(database)
  const found = texts.map((text, i) => requireAddress(text, `${pointer}/${i}`))
  for (const [i, address] of found.entries())
    if ((await directory.lookup(address)).kind !== 'foreign')
      throw invalidValue('invalid', `${pointer}/${i}`, {
        en: 'is of a domain here; members with an account belong to members',
        ja: '当サーバーのドメインのアドレスです。アカウントは members に指定してください',
      })
  return found
}
