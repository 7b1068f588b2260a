// The manifests as `kubectl apply -k` would apply them: Kubernetes must know each field, each service its settings.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { before, test } from 'node:test'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { TObject } from 'typebox'
import { clamdFaults, rabbitmqFaults } from './checks/capacity.ts'
import { coverageFaults } from './checks/coverage.ts'
import { environmentOf } from './checks/environment.ts'
import { render } from './checks/kubectl.ts'
import {
  type KubernetesObject,
  mainContainer,
  serviceNameOf,
  serviceWorkloadsOf,
  type Workload,
  workloadsOf,
} from './checks/kubernetes-object.ts'
import { schemaFaults } from './checks/kubernetes-schema.ts'
import { securityFaults } from './checks/pod-security.ts'
import { lifeFaults, type PortSettings, portFaults } from './checks/ports.ts'
import { readSettings } from './checks/settings.ts'
import { signatureFaults } from './checks/signatures.ts'
import { newSite } from './checks/site.ts'
import { addressFaults, claimFaults, selectorFaults, volumeFaults } from './checks/wiring.ts'

const BASE = join(import.meta.dirname, 'base')
const SINGLE_NODE = join(import.meta.dirname, 'overlays/single-node')
const SERVICES = join(import.meta.dirname, '../services')
const NO_SERVICE = ['kustomization', 'namespace', 'every-service']

let base: KubernetesObject[]
/** All that a cluster holds after the two documented commands. */
let system: KubernetesObject[]

before(async () => {
  base = await render(BASE)
  const { cert, key } = await makeTestCertificate('mail.example.test')
  system = [...(await newSite('mail.example.test', cert, key)), ...(await render(SINGLE_NODE))]
})

test('Kubernetes knows every field of every object', async () => {
  for (const objects of [base, system]) {
    assert.ok(objects.length > 10)
    assert.deepEqual((await Promise.all(objects.map(schemaFaults))).flat(), [])
  }
})

test('every service has a manifest, and every manifest a service', async () => {
  const services = (await readdir(SERVICES, { withFileTypes: true })).filter((e) => e.isDirectory()).map((e) => e.name)
  const manifests = (await readdir(BASE)).map((file) => basename(file, '.yaml')).filter((n) => !NO_SERVICE.includes(n))
  for (const objects of [base, system]) {
    const workloads = serviceWorkloadsOf(objects)
    assert.deepEqual(
      coverageFaults(
        services,
        manifests,
        workloads.map((w) => w.metadata.name),
      ),
      [],
    )
    assert.deepEqual(
      coverageFaults(
        services,
        manifests,
        workloads.map((w) => serviceNameOf(w)!),
      ),
      [],
    )
  }
})

test('every service gets the settings that it requires, none that it does not know, and values that it takes', async () => {
  for (const { faults } of await settingsOfServices()) assert.deepEqual(faults, [])
})

test('ports, probes and times fit the settings, and addresses in settings lead to servers', async () => {
  for (const { workload, settings } of await usableSettings()) {
    const faults = [
      ...portFaults(workload, settings, system),
      ...lifeFaults(workload, settings),
      ...addressFaults(settings, system),
    ]
    assert.deepEqual(faults, [], workload.metadata.name)
  }
})

test('every ConfigMap, Secret, volume and pod that something refers to is there', () => {
  assert.deepEqual(selectorFaults(system), [])
  for (const workload of workloadsOf(system)) {
    const pod = workload.spec.template.spec
    const references = [...(pod.initContainers ?? []), ...pod.containers].flatMap(
      (container) => environmentOf(pod, container, system).faults,
    )
    const volumes = [...volumeFaults(workload), ...claimFaults(workload, system)]
    assert.deepEqual([...references, ...volumes], [], workload.metadata.name)
  }
})

test('every pod is confined', () => {
  for (const workload of workloadsOf(system)) assert.deepEqual(securityFaults(workload), [], workload.metadata.name)
})

test('clamd takes whatever the gateways take, and RabbitMQ waits as long as the services do', async () => {
  const services = await usableSettings()
  const largestMailBytes = Math.max(...services.map(({ settings }) => Number(settings.MAX_MESSAGE_BYTES ?? 0)))
  const scanners = services.filter(({ settings }) => settings.SCAN_CONCURRENCY !== undefined)
  const scans = scanners.map(
    ({ workload, settings }) => (workload.spec.replicas ?? 1) * Number(settings.SCAN_CONCURRENCY),
  )
  assert.ok(largestMailBytes > 0 && scans.length > 0)
  const read = (file: string) => readFile(join(SINGLE_NODE, file), 'utf8')
  const concurrentScans = scans.reduce((sum, count) => sum + count)
  assert.deepEqual(clamdFaults(await read('clamd.conf'), largestMailBytes, concurrentScans), [])
  assert.deepEqual(rabbitmqFaults(await read('rabbitmq.conf')), [])
})

test('one freshclam fetches the signatures, every clamd reads them, and every scanner knows every clamd', async () => {
  const scanners = (await usableSettings()).filter(({ settings }) => settings.CLAMD_ADDRESS !== undefined)
  assert.ok(scanners.length > 0)
  for (const { settings } of scanners) {
    const addresses = String(settings.CLAMD_ADDRESS).split(',')
    assert.deepEqual(signatureFaults(workloadsOf(system), addresses), [])
    assert.equal(settings.SIGNATURE_MAX_AGE, '7d')
  }
})

interface ServiceSettings {
  workload: Workload
  /** Undefined when they are not usable: the test of settings says why. */
  settings: PortSettings | undefined
  faults: string[]
}

async function usableSettings(): Promise<{ workload: Workload; settings: PortSettings }[]> {
  return (await settingsOfServices()).flatMap(({ workload, settings }) => (settings ? [{ workload, settings }] : []))
}

async function settingsOfServices(): Promise<ServiceSettings[]> {
  return Promise.all(
    serviceWorkloadsOf(system).map(async (workload) => {
      const name = serviceNameOf(workload)
      const { schema } = (await import(`../services/${name}/src/config.ts`)) as { schema: TObject }
      const environment = environmentOf(workload.spec.template.spec, mainContainer(workload), system)
      const { settings, faults } = readSettings(schema, environment)
      return {
        workload,
        settings: settings as PortSettings | undefined,
        faults: faults.map((fault) => `${name}: ${fault}`),
      }
    }),
  )
}
