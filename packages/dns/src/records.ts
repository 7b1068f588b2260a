// Records as callers get them: the shapes of node:dns/promises (TLSA: that of mx-connect), made from dns-packet's.
import type { Answer } from 'dns-packet'
import { toPresentation } from './name.ts'

export interface MxRecord {
  /** Empty for the null MX (RFC 7505). */
  exchange: string
  priority: number
}

export interface TlsaRecord {
  usage: number
  selector: number
  matchingType: number
  data: Buffer
}

export interface SoaRecord {
  nsname: string
  hostmaster: string
  serial: number
  refresh: number
  retry: number
  expire: number
  minttl: number
}

/** What `resolve` gives for each type. TXT: one list of character-strings a record, bytes as Latin-1 (as node:dns). */
export interface RecordsByType {
  A: string[]
  AAAA: string[]
  CNAME: string[]
  NS: string[]
  PTR: string[]
  TXT: string[][]
  MX: MxRecord[]
  TLSA: TlsaRecord[]
  SOA: SoaRecord
}
export type RecordType = keyof RecordsByType
export type Records = RecordsByType[RecordType]

const TYPES: Record<RecordType, true> = {
  A: true,
  AAAA: true,
  CNAME: true,
  NS: true,
  PTR: true,
  TXT: true,
  MX: true,
  TLSA: true,
  SOA: true,
}

/** Tells whether `type` is one that this package can read. */
export function isRecordType(type: string): type is RecordType {
  return Object.hasOwn(TYPES, type)
}

/** Turns the answers of one type (at least one) into that type's shape. */
export function toRecords(type: RecordType, answers: Answer[]): Records {
  const records = answers.map(toRecord)
  return (type === 'SOA' ? records[0] : records) as Records
}

function toRecord(answer: Answer): string | string[] | MxRecord | TlsaRecord | SoaRecord {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return answer.data
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return toPresentation(answer.data)
    case 'TXT':
      return (answer.data as Buffer[]).map((string) => string.toString('latin1'))
    case 'MX':
      return { exchange: toPresentation(answer.data.exchange), priority: answer.data.preference ?? 0 }
    case 'TLSA': {
      const { certificate, ...rest } = answer.data
      return { ...rest, data: Buffer.from(certificate) }
    }
    case 'SOA': {
      const { mname, rname, serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0 } = answer.data
      const names = { nsname: toPresentation(mname), hostmaster: toPresentation(rname) }
      return { ...names, serial, refresh, retry, expire, minttl: minimum }
    }
  }
  throw new TypeError(`no shape for records of type ${answer.type}`)
}

/** Copies cached records, because callers sort and mark what they get. */
export function copyRecords(records: Records): Records {
  if (!Array.isArray(records)) return { ...records }
  return records.map((record) => (typeof record === 'string' ? record : copyOf(record))) as Records
}

function copyOf(record: string[] | MxRecord | TlsaRecord): string[] | MxRecord | TlsaRecord {
  return Array.isArray(record) ? [...record] : { ...record }
}
