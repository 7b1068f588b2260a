// Names inside archives are an attacker's: made harmless and short before they reach a log.

const MAX_NAME = 60
const MAX_PATH = 400
/** Control, format (such as text direction), line ends, unassigned, and half characters. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** The path of a member within the archive of that format in the file of that path. */
export function memberPath(outer: string, format: string, name: string): string {
  const safe = name.slice(-MAX_NAME).replace(UNSAFE, '_')
  const path = outer === '' ? `${format}:${safe}` : `${outer}/${format}:${safe}`
  return path.slice(0, MAX_PATH)
}
