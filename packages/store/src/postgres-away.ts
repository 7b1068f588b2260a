// What an error of Postgres, of its driver or of the network says: it is away, or it refuses this statement.

const AWAY_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '25006', // read only: a former primary
  '3D000', // the database is being restored
  '57P01',
  '57P02',
  '57P03',
  '57P05',
])
/** Connection trouble; refused credentials (being rotated); no disk, memory or connections left. */
const AWAY_CLASSES = new Set(['08', '28', '53'])
const AWAY_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed|Query read timeout)/

/** Whether the error says that Postgres can't be used now (as opposed to: it refuses this statement). */
export function isPostgresAway(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string }
  const isState = code.length === 5
  return AWAY_CODES.has(code) || (isState && AWAY_CLASSES.has(code.slice(0, 2))) || AWAY_TEXT.test(message)
}
