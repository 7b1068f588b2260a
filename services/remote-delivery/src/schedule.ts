// When a deferred mail is tried again, and when it is given up (RFC 5321 section 4.5.4.1).
import { parseDuration } from '@sekimori/config/duration'

export interface Schedule {
  /** Time to the next attempt, after the first, second … one; the last repeats. */
  intervalsMs: number[]
  lifetimeMs: number
  delayNoticeAfterMs: number
}

interface ScheduleSettings {
  RETRY_SCHEDULE: string
  RETRY_LIFETIME: string
  DELAY_NOTICE_AFTER: string
}

/** Attempts of mails that were deferred together don't stay together. */
const JITTER = 0.1

/** Durations separated by commas; undefined when one of them is none. */
export function parseDurations(text: string): number[] | undefined {
  const durations = text.split(',').map((part) => parseDuration(part.trim()))
  return durations.every((duration) => duration !== undefined) ? durations : undefined
}

/** The schedule that the (checked) settings describe. */
export function readSchedule(settings: ScheduleSettings): Schedule {
  return {
    intervalsMs: parseDurations(settings.RETRY_SCHEDULE)!,
    lifetimeMs: parseDuration(settings.RETRY_LIFETIME)!,
    delayNoticeAfterMs: parseDuration(settings.DELAY_NOTICE_AFTER)!,
  }
}

/** How long to wait after the given number of attempts (1 or more). `chance` is from 0 to 1. */
export function retryDelayMs(schedule: Schedule, attempts: number, chance = Math.random()): number {
  const { intervalsMs } = schedule
  const interval = intervalsMs[Math.min(attempts, intervalsMs.length) - 1]!
  return Math.round(interval * (1 - JITTER + 2 * JITTER * chance))
}
