// What the calls about mailing lists share: the shape of a list, and its members, who are local accounts.
import Type from 'typebox'
import { requireAddress } from '../name-input.ts'
import { type Fault, Problem } from '../problem.ts'

export const Members = Type.Array(Type.String(), {
  minItems: 1,
  maxItems: 10_000,
  description: 'addresses of local accounts',
})
const list = {
  address: Type.String(),
  domain: Type.String(),
  name: Type.String(),
  memberCount: Type.Integer(),
  createdAt: Type.String({ format: 'date-time' }),
}
export const List = Type.Object(list)
export const ListWithMembers = Type.Object({ ...list, members: Type.Array(Type.String()) })

/** The members in the form that is stored. @throws Problem */
export function requireMembers(texts: string[]): string[] {
  return texts.map((text, i) => requireAddress(text, `/members/${i}`))
}

/** Names the members who are not accounts here, with their places. */
export function unknownMembers(members: string[], unknown: string[]): Problem {
  const isUnknown = new Set(unknown)
  const faults = members.flatMap((address, i) => (isUnknown.has(address) ? [faultOf(address, i)] : []))
  return new Problem(
    'unknown-members',
    {
      en: `Members must be accounts here, and these are not: ${unknown.join(', ')}.`,
      ja: `メンバーはローカルアカウントでなければなりません。次のアドレスは該当しません: ${unknown.join(', ')}`,
    },
    faults,
  )
}

function faultOf(address: string, i: number): Fault {
  return {
    pointer: `/members/${i}`,
    detail: `${address} is not an account here`,
    detailJa: `${address} はローカルアカウントではありません`,
  }
}
