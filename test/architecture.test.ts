// The code keeps to its layers; and each rule that says so notices a breach.
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { architectureFaults } from './architecture.ts'

const ROOT = join(import.meta.dirname, '..')
const CODE = ['{packages,services}/*/{package.json,src/**/*.ts}', '{deploy,k8s,test}/**/*.ts']

test('the code keeps to its architecture', async () => {
  const sources = new Map<string, string>()
  for await (const path of glob(CODE, { cwd: ROOT, exclude: ['**/node_modules'] }))
    sources.set(path, await readFile(join(ROOT, path), 'utf8'))
  assert.ok(sources.size > 100)
  assert.deepEqual(architectureFaults(sources), [])
})

const manifest = JSON.stringify({
  name: '@sekimori/it',
  dependencies: { '@sekimori/mail': '*', '@sekimori/queue': '*', '@sekimori/store': '*', '@scope/used': '*', pg: '*' },
  devDependencies: { '@sekimori/testing': '*', amqplib: '*' },
})

/** The faults of one file, with others beside it. */
function faultsOf(path: string, text: string, others: Record<string, string> = {}): string {
  const home = path.split('/', 2).join('/')
  const sources = new Map(Object.entries({ [`${home}/package.json`]: manifest, [path]: text, ...others }))
  return architectureFaults(sources).join('\n')
}

const allowed: [string, string][] = [
  [
    'services/scanner/src/main.ts',
    "import { scan } from '@sekimori/queue/queues'\nimport a from './a.ts'\nimport 'pg'",
  ],
  ['packages/queue/src/a.ts', "import { x } from '@scope/used/deep'\nimport { y } from '@sekimori/mail/job'"],
  ['packages/queue/src/a.test.ts', "import a from 'amqplib'\nimport { b } from '@sekimori/testing/b'"],
  ['services/scanner/src/testing/a.ts', "import { b } from '@sekimori/testing/b'\nprocess.env.X"],
  ['packages/config/src/config.ts', 'process.env'],
  ['deploy/local/src/a.ts', "import x from 'anything'\nprocess.env.X"],
]
for (const [path, text] of allowed)
  test(`${path} may: ${text.replaceAll('\n', '; ')}`, () => assert.equal(faultsOf(path, text), ''))

const refused: [string, string, string, RegExp][] = [
  [
    'a service imports another',
    'services/scanner/src/a.ts',
    "import '../../notifier/src/a.ts'",
    /leaves services\/scanner/,
  ],
  ['a service imports another by name', 'services/scanner/src/a.ts', "import '@sekimori/notifier/a'", /is not below/],
  [
    'a package imports a service',
    'packages/queue/src/a.ts',
    "export * from '../../../services/x/src/a.ts'",
    /leaves packages\/queue/,
  ],
  [
    'a package imports its neighbour',
    'packages/queue/src/a.ts',
    "import { x } from '@sekimori/store/x'",
    /is not below packages\/queue/,
  ],
  ['a type crosses a layer', 'packages/store/src/a.ts', "import type { X } from '@sekimori/queue/x'", /is not below/],
  [
    'an import over several lines crosses a layer',
    'packages/mail/src/a.ts',
    "import {\n  x,\n  y,\n} from '@sekimori/queue/x'",
    /is not below/,
  ],
  ['a package is loaded late', 'packages/mail/src/a.ts', "const x = await import('@sekimori/store/x')", /is not below/],
  [
    'production uses test support',
    'packages/queue/src/a.ts',
    "import { x } from '@sekimori/testing/x'",
    /for tests only/,
  ],
  ['an import is not declared', 'packages/queue/src/a.ts', "import x from 'left-pad'", /left-pad is not declared/],
  [
    'one of ours is not declared',
    'services/scanner/src/a.ts',
    "import { x } from '@sekimori/dns/x'",
    /@sekimori\/dns is not declared/,
  ],
  [
    'production imports a devDependency',
    'services/scanner/src/a.ts',
    "import x from 'amqplib'",
    /amqplib is not declared/,
  ],
  ['a handler imports a driver', 'services/scanner/src/handler.ts', "import type { Pool } from 'pg'", /the driver pg/],
  [
    'a handler opens sockets',
    'services/scanner/src/handler.ts',
    "import { connect } from 'node:net'",
    /the driver node:net/,
  ],
  ['a service reads the environment', 'services/scanner/src/a.ts', 'const x = process.env.X', /reads the environment/],
  [
    'a service imports the environment',
    'services/scanner/src/a.ts',
    "import { env } from 'node:process'",
    /reads the environment/,
  ],
  ['a file is too long', 'packages/queue/src/a.ts', 'x\n'.repeat(251), /251 lines/],
  ['a test is too long', 'test/a.test.ts', 'x\n'.repeat(251), /251 lines/],
  ['a file is a drawer', 'services/scanner/src/utils.ts', '', /does not say what it is for/],
  ['a file is a barrel', 'packages/queue/src/index.ts', '', /does not say what it is for/],
  ['a test is skipped', 'test/a.test.ts', `test.${'skip'}('x', () => {})`, /left out/],
  ['a test is put off', 'k8s/a.test.ts', `test('x', { ${'todo'}: true }, () => {})`, /left out/],
  ['others are left out', 'packages/queue/src/a.test.ts', `test.${'only'}('x', () => {})`, /left out/],
]
for (const [what, path, text, fault] of refused)
  test(`it is a fault when ${what}`, () => assert.match(faultsOf(path, text), fault))

test('a handler may not reach a driver through its own files, but may know their types', () => {
  const others = { 'services/scanner/src/clamd.ts': "import { connect } from 'node:net'" }
  const faultsWith = (text: string) => faultsOf('services/scanner/src/handler.ts', text, others)
  assert.match(
    faultsWith("import { scan } from './clamd.ts'"),
    /the driver node:net by services\/scanner\/src\/clamd\.ts/,
  )
  assert.equal(faultsWith("import type { Scan } from './clamd.ts'"), '')
})

test('250 lines are not too many', () => {
  assert.equal(faultsOf('packages/queue/src/a.ts', 'x\n'.repeat(250)), '')
})
