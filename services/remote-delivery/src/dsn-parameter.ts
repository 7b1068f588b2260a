// The DSN parameters of MAIL and RCPT, passed on to servers that know them (RFC 3461 section 4).
import type { Recipient } from '@sekimori/mail/job'

const NOTIFY = new Set(['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'])

/** NOTIFY and ORCPT of a recipient, each with a space before it. */
export function rcptParameters({ notify = [], orcpt }: Recipient): string {
  const keywords = notify.map((keyword) => keyword.toUpperCase()).filter((keyword) => NOTIFY.has(keyword))
  const original = /^(?<type>[a-z0-9-]+);(?<address>.+)$/is.exec(orcpt ?? '')?.groups
  return (
    (keywords.length === 0 ? '' : ` NOTIFY=${keywords.join(',')}`) +
    (original === undefined ? '' : ` ORCPT=${original.type};${xtext(embedded(original.address!))}`)
  )
}

/** RET as the command takes it; undefined when there is none. */
export function retParameter(ret: string | undefined): 'FULL' | 'HDRS' | undefined {
  const keyword = ret?.toUpperCase()
  return keyword === 'FULL' || keyword === 'HDRS' ? keyword : undefined
}

/** Letters beyond ASCII as any server takes them (RFC 6533 section 3). */
function embedded(address: string): string {
  return address.replace(/\P{ASCII}/gu, (letter) => `\\x{${letter.codePointAt(0)!.toString(16).toUpperCase()}}`)
}

function xtext(text: string): string {
  return [...Buffer.from(text)]
    .map((octet) =>
      octet < 0x21 || octet > 0x7e || octet === 0x2b || octet === 0x3d ? hex(octet) : String.fromCharCode(octet),
    )
    .join('')
}

function hex(octet: number): string {
  return `+${octet.toString(16).toUpperCase().padStart(2, '0')}`
}
