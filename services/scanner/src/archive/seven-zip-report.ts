// Reads what 7-Zip prints about an archive: where it ends and what went wrong.
import { type Trouble, trouble } from './opened.ts'

export interface Report {
  isOpened: boolean
  /** Length of the archive; undefined when 7-Zip does not know it. */
  sizeBytes: number | undefined
  /** Something is behind the end of the archive. */
  hasTail: boolean
  troubles: Trouble[]
}

/** Links to files of the same archive, which need no file of their own. */
const HARMLESS = /^Cannot (?:create|set|fill) /
/** Not an error: what is there is looked at for itself. */
const TAIL = 'ERROR: There are some data after the end of the payload data'
const ENCRYPTED = /encrypted|wrong password/i
/** Kinds of trouble of one archive that are worth telling apart in a log. */
const MAX_TROUBLES = 10

/** Reads the output of `7zz e`. Names in it are an attacker's: only the beginnings of lines are trusted. */
export function readReport(lines: string[]): Report {
  const report: Report = { isOpened: true, sizeBytes: undefined, hasTail: false, troubles: [] }
  let isInErrors = false
  for (const line of lines) {
    if (line.startsWith('Open ERROR: ')) report.isOpened = false
    else if (line.startsWith('ERROR: ') && !line.startsWith(TAIL)) note(report, line.slice(7))
    else if (line === '' || line === 'WARNINGS:') isInErrors = false
    else if (isInErrors && !/^Can't open as archive/.test(line)) note(report, line)
    if (line === 'ERRORS:') isInErrors = true
    report.sizeBytes ??= numberOf(line, 'Physical Size = ')
    report.hasTail ||= line.startsWith(TAIL)
  }
  return report
}

function numberOf(line: string, field: string): number | undefined {
  const text = line.startsWith(field) ? line.slice(field.length) : ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function note(report: Report, message: string): void {
  const text = message.split(' : ')[0]!
  if (HARMLESS.test(text) || text === '/in' || report.troubles.length >= MAX_TROUBLES) return
  const found = trouble(ENCRYPTED.test(text) ? 'encrypted' : 'damaged', text)
  if (!report.troubles.some(({ detail }) => detail === text)) report.troubles.push(found)
}
