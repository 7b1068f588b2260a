// The layering and the few other rules of the code's shape, over paths and texts: what breaks them, and where.
import { basename, dirname, join } from 'node:path/posix'

/** Path from the workspace's root, and text. The packages' package.json files are among them. */
export type Sources = ReadonlyMap<string, string>

interface Import {
  specifier: string
  isType: boolean
}

/** Which of our packages a package may import; services may import all of these, and none imports a service. */
const LAYERS: Record<string, string[]> = {
  config: [],
  mail: [],
  runtime: ['config'],
  dns: ['mail', 'runtime', 'config'],
  authentication: ['dns', 'mail', 'runtime', 'config'],
  smtp: ['mail', 'runtime', 'config'],
  queue: ['mail', 'runtime', 'config'],
  store: ['mail', 'runtime', 'config'],
  login: ['store', 'mail', 'runtime', 'config'],
}
const DRIVERS =
  /^(pg|amqplib|mx-connect|smtp-server|fastify|mailauth(\/.*)?|nodemailer(\/lib\/smtp-connection)?|node:(net|tls|dns|dgram|http|https|fs|child_process)(\/.*)?)$/
const ENVIRONMENT_READERS = ['packages/config/src/config.ts', 'packages/runtime/src/telemetry.ts']
const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types|index)\.ts$/
const MAX_LINES = 250
const LEFT_OUT =
  /\b(test|it|describe|suite|t|context)\.(skip|todo|only)\b|[{,]\s*(?:(?:skip|todo|only):\s*true|(?:skip|todo):\s*['"`])/
const IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^'\n$]+)'|\bimport\(\s*'([^'\n$]+)'/gm

/** Every breach of the rules, as "path: what". */
export function architectureFaults(sources: Sources): string[] {
  return [...sources.keys()]
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) =>
      [...shapeFaults(path, sources.get(path)!), ...importFaults(path, sources)].map((f) => `${path}: ${f}`),
    )
}

function shapeFaults(path: string, text: string): string[] {
  const faults: string[] = []
  const lines = text.trimEnd().split('\n').length
  if (lines > MAX_LINES) faults.push(`${lines} lines, over ${MAX_LINES}`)
  if (FORBIDDEN_NAMES.test(basename(path))) faults.push('its name does not say what it is for')
  if (path.endsWith('.test.ts') && LEFT_OUT.test(text)) faults.push('a test is left out')
  const readsEnvironment = /\bprocess\.env\b|\bfrom 'node:process'/.test(text)
  if (readsEnvironment && isProduction(path) && !ENVIRONMENT_READERS.includes(path))
    faults.push('reads the environment: only packages/config does')
  return faults
}

function importFaults(path: string, sources: Sources): string[] {
  if (!/^(packages|services)\//.test(path)) return []
  const [kind, name] = path.split('/') as [string, string]
  const faults = importsOf(sources.get(path)!).flatMap(({ specifier }) => {
    if (specifier.startsWith('node:')) return []
    if (specifier.startsWith('.')) {
      const isInside = join(dirname(path), specifier).startsWith(`${kind}/${name}/`)
      return isInside ? [] : [`${specifier} leaves ${kind}/${name}`]
    }
    return [
      ...layerFaults(path, kind, name, specifier),
      ...declarationFaults(path, `${kind}/${name}`, specifier, sources),
    ]
  })
  return path.endsWith('/handler.ts') ? [...faults, ...driverFaults(path, sources)] : faults
}

function layerFaults(path: string, kind: string, name: string, specifier: string): string[] {
  const [scope, target] = specifier.split('/')
  if (scope !== '@sekimori') return []
  if (target === 'testing') return isProduction(path) ? [`${specifier} is for tests only`] : []
  if (target === name || !isProduction(path))
    return target! in LAYERS || target === name ? [] : [`${specifier} is no package`]
  const allowed = kind === 'services' ? Object.keys(LAYERS) : (LAYERS[name] ?? [])
  return allowed.includes(target!) ? [] : [`${specifier} is not below ${kind}/${name}`]
}

/** What is imported must be named by the package's own package.json, for production under `dependencies`. */
function declarationFaults(path: string, home: string, specifier: string, sources: Sources): string[] {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const manifest = JSON.parse(sources.get(`${home}/package.json`) ?? '{}')
  if (name === manifest.name || name in (manifest.dependencies ?? {})) return []
  if (!isProduction(path) && name in (manifest.devDependencies ?? {})) return []
  return [`${name} is not declared in ${home}/package.json`]
}

/** A handler, and every file of its service that it runs, decides without touching the world. */
function driverFaults(handler: string, sources: Sources): string[] {
  const reached = new Set([handler])
  const faults: string[] = []
  for (const path of reached) {
    for (const { specifier, isType } of importsOf(sources.get(path) ?? '')) {
      if (DRIVERS.test(specifier))
        faults.push(`reaches the driver ${specifier}${path === handler ? '' : ` by ${path}`}`)
      else if (specifier.startsWith('.') && !isType) reached.add(join(dirname(path), specifier))
    }
  }
  return faults
}

function importsOf(text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, from, dynamic]) => ({
    specifier: (from ?? dynamic)!,
    isType: type !== undefined,
  }))
}

/** Tests, what lies in a directory "testing" beside them, and packages/testing are no production code. */
function isProduction(path: string): boolean {
  return /^(packages|services)\//.test(path) && !path.endsWith('.test.ts') && !path.includes('/testing/')
}
