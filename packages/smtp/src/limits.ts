// What one session may cost: times, counts and line rules, with what RFC 5321 section 4.5.3 asks for as the least.
import type { LineRules } from './dot-decoder.ts'

export interface SessionLimits {
  /** Content lines. */
  lines: LineRules
  /** Longest wait for a whole command (RFC 5321 section 4.5.3.2.7: at least 5 minutes). */
  commandTimeoutMs: number
  /** Longest TLS handshake. */
  handshakeTimeoutMs: number
  /** After the command timeout, content must have come at this rate or better. */
  dataMinBytesPerSecond: number
  /** Longest session; it ends between two commands. */
  sessionTimeoutMs: number
  /** 5xx replies since the last accepted mail. */
  maxErrors: number
  /** Commands that bring no mail nearer since the last accepted one. */
  maxIdleCommands: number
  /** All commands since the last accepted mail, beyond one for each recipient that a mail may have. */
  maxCommands: number
  /** When all places are taken, a session that nobody has logged in to and that was idle for so long gives way. */
  shedAfterMs: number
}

export const defaultLimits: SessionLimits = {
  lines: { bareLf: 'refuse', maxLineBytes: 32_768 },
  commandTimeoutMs: 300_000,
  handshakeTimeoutMs: 60_000,
  dataMinBytesPerSecond: 500,
  sessionTimeoutMs: 7_200_000,
  maxErrors: 20,
  maxIdleCommands: 100,
  maxCommands: 5_000,
  shedAfterMs: 5_000,
}

/** The settings of the same names (packages/config). */
export interface LimitSettings {
  BARE_LF: LineRules['bareLf']
  MAX_LINE_BYTES: number
  COMMAND_TIMEOUT_MS: number
  HANDSHAKE_TIMEOUT_MS: number
  DATA_MIN_BYTES_PER_SECOND: number
  SESSION_TIMEOUT_MS: number
  MAX_ERRORS: number
}

export function sessionLimits(settings: LimitSettings): SessionLimits {
  return {
    ...defaultLimits,
    lines: { bareLf: settings.BARE_LF, maxLineBytes: settings.MAX_LINE_BYTES },
    commandTimeoutMs: settings.COMMAND_TIMEOUT_MS,
    handshakeTimeoutMs: settings.HANDSHAKE_TIMEOUT_MS,
    dataMinBytesPerSecond: settings.DATA_MIN_BYTES_PER_SECOND,
    sessionTimeoutMs: settings.SESSION_TIMEOUT_MS,
    maxErrors: settings.MAX_ERRORS,
  }
}
