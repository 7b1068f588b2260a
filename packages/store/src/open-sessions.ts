// How many sessions a network holds open at all processes of an edge: each tells the others once a second of those that
// hold many, and nothing of the rest.
import { randomUUID } from 'node:crypto'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Database, Queryable } from './database.ts'

const TELL_MS = 1_000

export class OpenSessions implements AsyncDisposable {
  readonly #database: Database
  readonly #edge: string
  readonly #process = randomUUID()
  readonly #timer: NodeJS.Timeout
  #others = new Map<string, number>()
  #hasTold = false
  #telling: Promise<void> = Promise.resolve()

  /** `many` gives the networks that hold many sessions at this process. */
  constructor(database: Database, edge: string, many: () => Map<string, number>, tellMs = TELL_MS) {
    this.#database = database
    this.#edge = edge
    this.#timer = setInterval(() => {
      this.#telling = this.#telling.then(() => this.#tell(many()))
    }, tellMs).unref()
  }

  /** Sessions of the network at the other processes, when last heard. */
  others(subject: string): number {
    return this.#others.get(subject) ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#telling
    await this.#tell(new Map())
  }

  async #tell(many: Map<string, number>): Promise<void> {
    if (many.size === 0 && !this.#hasTold) return
    try {
      this.#others = await tellOpenSessions(this.#database, this.#process, this.#edge, many)
      this.#hasTold = many.size > 0
    } catch (error) {
      if (!(error instanceof DependencyAway)) throw error
      this.#others.clear()
    }
  }
}

/** Writes what this process has; resolves to what the others have of the same. A process that is silent for 10 s has none. */
async function tellOpenSessions(
  database: Queryable,
  process: string,
  edge: string,
  many: Map<string, number>,
): Promise<Map<string, number>> {
  const { rows } = await database.query<{ subject: string; open: string }>({
    name: 'tell_open_sessions',
    text: `with told as (
             insert into open_session (process, edge, subject, open)
             select $1, $2, subject, open from unnest($3::text[], $4::integer[]) as mine (subject, open)
             on conflict (process, subject) do update set open = excluded.open, seen_at = clock_timestamp()
           ), gone as (
             delete from open_session
             where (process = $1 and subject <> all ($3)) or seen_at < clock_timestamp() - interval '1 minute'
           )
           select subject, sum(open) as open from open_session
           where edge = $2 and process <> $1 and subject = any ($3) and seen_at > clock_timestamp() - interval '10 seconds'
           group by subject`,
    values: [process, edge, [...many.keys()], [...many.values()]],
  })
  return new Map(rows.map((row) => [row.subject, Number(row.open)]))
}
