// For tests only: reads a server's replies against the lines that were sent, one reply a line, so that none can be missing,
// be one too many, end wrong or show what it should not.
import assert from 'node:assert/strict'
import { assertNoLeak } from '@sekimori/testing/fuzz'
import type { Phase } from './command-generator.ts'

const STATUS = /^(?:\+OK|-ERR|\+) /
const INSIDE = /^\+OK \d+ \S+ \(\d+ /
const LONGEST_REPLY = 510
const LISTINGS = new Set(['CAPA', 'LIST', 'UIDL', 'AUTH', 'LANG'])
const SIZE = /^\+OK (\d+) [^ (]+$/

export class Replies {
  /** Replies by status, the greeting not among them. */
  readonly counts = new Map<string, number>()
  /** The server has said that TLS begins. */
  isNegotiating = false
  #text = ''
  #unfinishedLine = ''
  #lines = ['(connection)']
  #isChallenged = false
  #isInside = false

  /** Takes note of what is sent. */
  sent(octets: Buffer): void {
    const lines = (this.#unfinishedLine + octets.toString('latin1')).split('\n')
    this.#unfinishedLine = lines.pop()!
    this.#lines.push(...lines)
  }

  heard(octets: Buffer): void {
    this.#text += octets.toString('latin1')
    while (this.#lines.length > 0 && !this.isNegotiating && this.#takeReply());
  }

  /** A line waits for its reply. */
  get isWaiting(): boolean {
    return this.#lines.length > 0 && !this.isNegotiating
  }

  /** What the server expects now, as far as its replies tell. */
  get phase(): Phase {
    if (this.#isChallenged) return 'challenged'
    return this.#isInside ? 'inside' : 'outside'
  }

  /** Octets that belong to no line. */
  get rest(): string {
    return this.#text
  }

  /** The line whose reply is due, for messages. */
  get due(): string {
    return JSON.stringify(this.#lines[0]?.slice(0, 300) ?? '')
  }

  #takeReply(): boolean {
    const end = this.#text.indexOf('\r\n')
    if (end < 0) return false
    const status = this.#text.slice(0, end)
    const due = this.due
    assert.match(status, STATUS, `after ${due}`)
    assert.ok(status.length <= LONGEST_REPLY, `a reply of ${status.length} octets after ${due}`)
    const isListing = status.startsWith('+OK') && !this.#isChallenged && beginsListing(this.#lines[0]!)
    const last = isListing ? this.#text.indexOf('\r\n.\r\n', end) + 3 : end
    if (last < end) return false
    const reply = this.#text.slice(0, last + 2)
    assertNoLeak(reply, due)
    assert.ok(!reply.includes('secret'), `shows the password after ${due}`)
    if (isListing) checkSize(status, reply.slice(end + 2, -3))
    this.#text = this.#text.slice(reply.length)
    this.#note(status)
    return true
  }

  #note(status: string): void {
    const line = this.#lines.shift()!
    if (line !== '(connection)') {
      const kind = status.split(' ', 1)[0]!
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    }
    this.isNegotiating = /^stls *\r?$/i.test(line) && status.startsWith('+OK') && !this.#isChallenged
    // What came with STLS is dropped, and never answered.
    if (this.isNegotiating) [this.#lines, this.#unfinishedLine] = [[], '']
    this.#isChallenged = status.startsWith('+ ')
    this.#isInside ||= INSIDE.test(status)
  }
}

function beginsListing(line: string): boolean {
  const [verb = '', ...words] = line.replace(/\r$/, '').split(' ')
  const keyword = verb.toUpperCase()
  if (keyword === 'RETR' || keyword === 'TOP') return true
  return LISTINGS.has(keyword) && words.every((word) => word === '')
}

/** RETR says how many octets come; each line without its stuffing. */
function checkSize(status: string, body: string): void {
  const announced = SIZE.exec(status)?.[1]
  if (announced !== undefined) assert.equal(body.replaceAll(/^\./gm, '').length, Number(announced), status)
}
