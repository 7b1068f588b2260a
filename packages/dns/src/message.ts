// Questions as bytes, and the test that a message is the answer to one (RFC 1035 section 4.1, RFC 5452 section 9,
// RFC 6891): id and question are compared before anything is decoded.
import { AUTHENTIC_DATA, type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet'
import { hasSoundFrame } from './message-frame.ts'
import type { RecordType } from './records.ts'

const PAYLOAD_BYTES = 1232
const HEADER_BYTES = 12
const FORMERR = 1

/** A question ready to be sent: `bytes` carry everything except the id. */
export interface Question {
  name: string
  type: RecordType
  bytes: Buffer
}

/** What a received message is: another's (or forged), cut short, not to be read, or the answer. */
export type Reading =
  | { kind: 'foreign' }
  | { kind: 'truncated' }
  | { kind: 'malformed'; cause: unknown }
  | { kind: 'answer'; packet: DecodedPacket; rcode: number; sizeBytes: number }

/**
 * Encodes a question; `isPlain` leaves EDNS out, for servers that choke on it. The AD bit asks the server to say whether
 * it has validated its answer (RFC 6840 section 5.7), without the signatures that DO would add.
 */
export function encodeQuestion(name: string, type: RecordType, isPlain = false): Question {
  const opt = {
    type: 'OPT' as const,
    name: '.',
    udpPayloadSize: PAYLOAD_BYTES,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }
  const bytes = encode({
    type: 'query',
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name, type }],
    additionals: isPlain ? [] : [opt],
  })
  return { name, type, bytes }
}

/** Gives the bytes to send under `id`. */
export function withId(question: Question, id: number): Buffer {
  const bytes = Buffer.from(question.bytes)
  bytes.writeUInt16BE(id, 0)
  return bytes
}

/** Reads what arrived in answer to `question` under `id`. Never throws, whatever the bytes are. */
export function readMessage(message: Buffer, question: Question, id: number): Reading {
  if (!isAnswerTo(message, question, id)) return { kind: 'foreign' }
  if ((message[2]! & 0x02) !== 0) return { kind: 'truncated' }
  if (!hasSoundFrame(message)) return { kind: 'malformed', cause: 'its records are not all there' }
  try {
    const packet = decode(message)
    const opt = packet.additionals?.find((record) => record.type === 'OPT')
    const extended = opt?.type === 'OPT' ? opt.extendedRcode : 0
    return { kind: 'answer', packet, rcode: (extended << 4) | (message[3]! & 0x0f), sizeBytes: message.length }
  } catch (cause) {
    return { kind: 'malformed', cause }
  }
}

function isAnswerTo(message: Buffer, question: Question, id: number): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== id) return false
  const isResponse = (message[2]! & 0xf8) === 0x80
  const questions = message.readUInt16BE(4)
  if (questions === 0) return isResponse && (message[3]! & 0x0f) === FORMERR
  return isResponse && questions === 1 && hasSameQuestion(message, question)
}

function hasSameQuestion(message: Buffer, { name, bytes }: Question): boolean {
  const nameEnd = HEADER_BYTES + name.length + 2
  const end = nameEnd + 4
  if (message.length < end) return false
  if (message.compare(bytes, HEADER_BYTES, end, HEADER_BYTES, end) === 0) return true
  const asked = bytes.toString('latin1', HEADER_BYTES, nameEnd)
  const answered = message.toString('latin1', HEADER_BYTES, nameEnd).toLowerCase()
  return asked === answered && message.compare(bytes, nameEnd, end, nameEnd, end) === 0
}
