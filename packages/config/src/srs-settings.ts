// Settings of the sender rewriting scheme, the same for whoever makes such addresses and whoever takes bounces to them.
import { duration, parseDuration } from './duration.ts'
import { secret } from './settings.ts'

export const srsSettings = {
  SRS_SECRET: secret('signs the senders of forwarded mail (SRS), the same for all services (openssl rand -hex 32)'),
  SRS_MAX_AGE: duration('21d', 'how long bounces to forwarded mail are taken'),
}

/** What rewrites senders and reads rewritten ones. */
export function srsKey(settings: { SRS_SECRET: string; SRS_MAX_AGE: string }): { secret: string; maxAgeMs: number } {
  return { secret: settings.SRS_SECRET, maxAgeMs: parseDuration(settings.SRS_MAX_AGE)! }
}
