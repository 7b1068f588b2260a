// The published conformance suites: other people's data, which is no part of this project. They are read from
// SUITES_DIR (default: ../shared/suites beside the workspace); where it is missing, a test says that it left them out.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TestContext } from 'node:test'

const WORKSPACE = resolve(import.meta.dirname, '..', '..', '..', '..')
const DIRECTORY = resolve(WORKSPACE, process.env.SUITES_DIR ?? '../shared/suites')

/** The scenarios of a suite; undefined, and said so in the test's output, when it is not on this machine. */
export function readSuite<T>(context: TestContext, path: string): T[] | undefined {
  const file = resolve(DIRECTORY, path)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T[]
  context.diagnostic(`LEFT OUT: ${path} is not in ${DIRECTORY} (SUITES_DIR)`)
  return undefined
}

/** One case that came out otherwise than the suite asks for. */
export interface Deviation {
  name: string
  wanted: string
  found: string
}
