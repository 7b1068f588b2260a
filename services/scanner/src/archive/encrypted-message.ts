// Files and texts that are encrypted for their readers: OpenPGP (RFC 9580) in armor or in octets, age, OpenSSL's enc.

const ARMOR = Buffer.from('-----BEGIN PGP MESSAGE-----')
const LF = 0x0a
const STARTS = ['age-encryption.org/v1', '-----BEGIN AGE ENCRYPTED FILE-----', 'Salted__']
/** Packet types (RFC 9580 section 5): session keys by public key and by password, with the versions that there are. */
const SESSION_KEY = { byPublicKey: 1, byPassword: 3 }
const VERSIONS: Record<number, number[]> = { [SESSION_KEY.byPublicKey]: [3, 6], [SESSION_KEY.byPassword]: [4, 5, 6] }
/** A file that is less is none. */
const SHORTEST_BYTES = 32

/** Whether the content is such a file, or a text with such a message in it. */
export function isEncryptedMessage(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 64)
  return STARTS.some((text) => start.startsWith(text)) || beginsWithSessionKey(bytes) || hasArmor(bytes)
}

/** A quoted one is nobody's. */
function hasArmor(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(ARMOR); at >= 0; at = bytes.indexOf(ARMOR, at + 1))
    if (at === 0 || bytes[at - 1] === LF) return true
  return false
}

/** The first packet holds a session key: its header, its length, its version. */
function beginsWithSessionKey(bytes: Buffer): boolean {
  const tag = bytes[0]!
  if (bytes.length < SHORTEST_BYTES || (tag & 0x80) === 0) return false
  const isNew = (tag & 0x40) !== 0
  const type = isNew ? tag & 0x3f : (tag >> 2) & 0x0f
  const versions = VERSIONS[type]
  if (versions === undefined) return false
  const { bodyAt, length } = isNew ? newLength(bytes) : oldLength(bytes, tag & 3)
  const next = bytes[bodyAt + length]
  // What follows is one more packet.
  return versions.includes(bytes[bodyAt]!) && length < 4_096 && next !== undefined && (next & 0x80) !== 0
}

function oldLength(bytes: Buffer, kind: number): { bodyAt: number; length: number } {
  if (kind === 0) return { bodyAt: 2, length: bytes[1]! }
  if (kind === 1) return { bodyAt: 3, length: bytes.readUInt16BE(1) }
  return { bodyAt: 5, length: bytes.readUInt32BE(1) }
}

function newLength(bytes: Buffer): { bodyAt: number; length: number } {
  const first = bytes[1]!
  if (first < 192) return { bodyAt: 2, length: first }
  if (first < 224) return { bodyAt: 3, length: ((first - 192) << 8) + bytes[2]! + 192 }
  return { bodyAt: 6, length: bytes.readUInt32BE(2) }
}
