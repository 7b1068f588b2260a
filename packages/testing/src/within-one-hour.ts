// For tests of what is counted by the hour or the day of the clock.
const HOUR_MS = 3_600_000

/** Runs a test's body; what fails while an hour (of UTC, so also a day) ends under it is run once more, in the new one. */
export async function withinOneHour(body: () => Promise<void>): Promise<void> {
  const hour = Math.floor(Date.now() / HOUR_MS)
  try {
    await body()
  } catch (error) {
    if (Math.floor(Date.now() / HOUR_MS) === hour) throw error
    await body()
  }
}
