// The frame of a DNS message: do its records lie where their counts and lengths say (RFC 1035 sections 4.1.3, 4.1.4)?
// Walked before the codec runs, which trusts them.

const HEADER_BYTES = 12
const QUESTION_TAIL_BYTES = 4
const RECORD_TAIL_BYTES = 10
/** Types whose data has one length only: A and AAAA. */
const FIXED_DATA_BYTES: Record<number, number> = { 1: 4, 28: 16 }

/** Tells whether every question and record that the header counts is there in full. */
export function hasSoundFrame(message: Buffer): boolean {
  if (message.length < HEADER_BYTES) return false
  let offset = HEADER_BYTES
  for (let left = message.readUInt16BE(4); left > 0; left--) {
    offset = skipName(message, offset) + QUESTION_TAIL_BYTES
    if (offset > message.length) return false
  }
  for (let left = recordCount(message); left > 0; left--) {
    offset = skipRecord(message, offset)
    if (offset > message.length) return false
  }
  return true
}

function recordCount(message: Buffer): number {
  return message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10)
}

/** Gives the offset after the record, Infinity for a record that is not all there. */
function skipRecord(message: Buffer, start: number): number {
  const tail = skipName(message, start)
  const data = tail + RECORD_TAIL_BYTES
  if (data > message.length) return Number.POSITIVE_INFINITY
  const dataBytes = message.readUInt16BE(tail + 8)
  const fixed = FIXED_DATA_BYTES[message.readUInt16BE(tail)]
  return fixed === undefined || fixed === dataBytes ? data + dataBytes : Number.POSITIVE_INFINITY
}

function skipName(message: Buffer, start: number): number {
  let offset = start
  while (offset < message.length) {
    const length = message[offset]!
    if (length === 0) return offset + 1
    if (length >= 0xc0) return offset + 2
    offset += 1 + length
  }
  return Number.POSITIVE_INFINITY
}
