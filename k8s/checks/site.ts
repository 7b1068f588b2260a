// What new-site.ts would create in the cluster: the overlay's other half.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KubernetesObject } from './kubernetes-object.ts'

const PROGRAM = join(import.meta.dirname, '../overlays/single-node/new-site.ts')

/** Runs the documented step and gives its objects. Rejects with its message when it refuses. */
export async function newSite(hostname: string, certificate: string, key: string): Promise<KubernetesObject[]> {
  const directory = await mkdtemp(join(tmpdir(), 'new-site-'))
  try {
    const paths = [join(directory, 'certificate.pem'), join(directory, 'key.pem')] as const
    await writeFile(paths[0], certificate)
    await writeFile(paths[1], key)
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, hostname, ...paths])
    return (JSON.parse(stdout) as { items: KubernetesObject[] }).items
  } finally {
    await rm(directory, { recursive: true })
  }
}
