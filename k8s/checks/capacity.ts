// Limits of clamd and RabbitMQ against what the services will ask of them.

const WEEK_MS = 7 * 24 * 60 * 60 * 1000
const SELF_CHECK_MAX_SECONDS = 300
const UNITS: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** clamd must take the largest mail whole, alert on what it can't look into, remember nothing by MD5, scan as many as are sent at once, and take up signatures without a gap. */
export function clamdFaults(text: string, largestMailBytes: number, concurrentScans: number): string[] {
  const settings = parse(text, /\s+/)
  const faults = ['StreamMaxLength', 'MaxFileSize', 'MaxScanSize']
    .filter((name) => !(bytesOf(settings.get(name)) >= largestMailBytes))
    .map((name) => `clamd.conf: ${name} is below MAX_MESSAGE_BYTES (${largestMailBytes})`)
  for (const name of ['AlertEncrypted', 'AlertExceedsMax', 'DisableCache', 'Foreground', 'ConcurrentDatabaseReload']) {
    if (settings.get(name) !== 'yes') faults.push(`clamd.conf: ${name} is not yes`)
  }
  if (!(Number(settings.get('SelfCheck')) <= SELF_CHECK_MAX_SECONDS))
    faults.push(`clamd.conf: SelfCheck takes longer than ${SELF_CHECK_MAX_SECONDS} s to see new signatures`)
  if (!(Number(settings.get('MaxThreads')) > concurrentScans))
    faults.push(`clamd.conf: MaxThreads is not above the ${concurrentScans} scans of SCAN_CONCURRENCY`)
  return faults
}

/** RabbitMQ must leave a held job with its consumer. */
export function rabbitmqFaults(text: string): string[] {
  const settings = parse(text, /\s*=\s*/)
  const faults: string[] = []
  if (!(Number(settings.get('consumer_timeout')) >= WEEK_MS))
    faults.push('rabbitmq.conf: consumer_timeout is below a week')
  if (settings.get('default_queue_type') !== 'quorum') faults.push('rabbitmq.conf: default_queue_type is not quorum')
  return faults
}

function parse(text: string, separator: RegExp): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => line.trim().split(separator, 2) as [string, string]))
}

function bytesOf(text = ''): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text)
  return match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!.toUpperCase()]!
}
