// Of a header section with the MIME fields of a mail or of a part: whether it has parts, and where they begin (RFC 2046).
import { parseHeader, unfold } from './header.ts'
import { unquoted } from './surrogate-address.ts'

/** A parameter of a MIME field: its name and its value, quoted or not. */
export const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)/gu
/** Signed octets are not to be changed, and encrypted ones can't be. */
const OPEN_MULTIPART = /^multipart\/(?!signed|encrypted)/i
const BOUNDARY = /^[ -~]{0,199}[!-~]$/

/** What the delimiter lines between its parts are made of; undefined when there are none that all readers would agree on. */
export function boundaryOf(header: Buffer): string | undefined {
  const fields = parseHeader(header)
  const [type, ...moreTypes] = valuesOf('content-type')
  const [encoding = '7bit', ...moreEncodings] = valuesOf('content-transfer-encoding')
  if (type === undefined || moreTypes.length > 0 || moreEncodings.length > 0) return undefined
  if (!OPEN_MULTIPART.test(type) || !/^(?:7bit|8bit|binary)$/i.test(encoding)) return undefined
  const values = [...type.matchAll(PARAMETER)].filter(([, name]) => name!.toLowerCase() === 'boundary')
  const [boundary, ...moreBoundaries] = values.map(([, , value]) => unquoted(value!.trim()))
  return boundary !== undefined && moreBoundaries.length === 0 && BOUNDARY.test(boundary) ? boundary : undefined

  function valuesOf(name: string): string[] {
    return fields.filter((field) => field.name === name).map(({ value }) => unfold(value))
  }
}
