import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findObject, type KubernetesObject } from './kubernetes-object.ts'
import { sampleSystem, sampleWorkload } from './sample.ts'
import { addressFaults, claimFaults, selectorFaults, volumeFaults } from './wiring.ts'

const settings = {
  DATABASE_URL: 'postgres://user:password@postgres/sekimori',
  AMQP_URL: 'amqp://user:password@postgres:5432',
  CLAMD_ADDRESS: 'postgres:5432',
}

test('selectors that find pods are right, and one that finds none is a fault', () => {
  const objects = sampleSystem()
  assert.deepEqual(selectorFaults(objects), [])
  const service = findObject<KubernetesObject & { spec: object }>(objects, 'Service', 'postgres')!
  Object.assign(service.spec, { selector: { app: 'postgresql' } })
  assert.deepEqual(selectorFaults(objects), ['Service postgres selects no pod'])
})

test("a workload that selects another one's pods is a fault", () => {
  const objects = sampleSystem()
  sampleWorkload(objects).spec.selector.matchLabels = { app: 'postgres' }
  assert.deepEqual(selectorFaults(objects), ['Deployment mx-gateway selects no pod'])
})

test('a mount without a volume and a volume without a mount are faults', () => {
  const workload = sampleWorkload(sampleSystem())
  assert.deepEqual(volumeFaults(workload), [])
  workload.spec.template.spec.volumes![0]!.name = 'url'
  assert.deepEqual(volumeFaults(workload), ['mounts urls, which is no volume', 'volume url is mounted nowhere'])
  workload.spec.volumeClaimTemplates = [{ metadata: { name: 'urls' } }]
  assert.deepEqual(volumeFaults(workload), ['volume url is mounted nowhere'])
})

test('addresses that lead to a listening server are right', () => {
  assert.deepEqual(addressFaults(settings, sampleSystem()), [])
})

test('an address without a Service is a fault, told without the address', () => {
  const wrong = {
    DATABASE_URL: 'postgres://user:password@postgresql/sekimori',
    AMQP_URL: 'amqp://user:password@postgres',
    CLAMD_ADDRESS: 'postgres:3310',
  }
  assert.deepEqual(
    addressFaults(wrong, sampleSystem()),
    Object.keys(wrong).map((name) => `${name} leads to no Service`),
  )
})

test('an address whose Service leads nowhere is a fault', () => {
  const objects = sampleSystem()
  const service = findObject<KubernetesObject & { spec: { ports: object[] } }>(objects, 'Service', 'postgres')!
  Object.assign(service.spec.ports[0]!, { targetPort: 'sql' })
  assert.match(addressFaults(settings, objects)[0]!, /DATABASE_URL .* nothing listens behind/)
})

test('addresses of single pods are right for the pods that there are, and a fault for others', () => {
  const objects = sampleSystem()
  const postgres = findObject<KubernetesObject & { spec: object }>(objects, 'StatefulSet', 'postgres')!
  Object.assign(postgres.spec, { serviceName: 'postgres', replicas: 2 })
  const faults = (address: string) => addressFaults({ CLAMD_ADDRESS: address }, objects)
  assert.deepEqual(faults('postgres-0.postgres:5432, postgres-1.postgres:5432'), [])
  assert.deepEqual(faults('postgres-0.postgres:5432,postgres-2.postgres:5432'), [
    'CLAMD_ADDRESS leads to no pod of postgres',
  ])
  assert.deepEqual(faults('postgres-0.mysql:5432'), ['CLAMD_ADDRESS leads to no Service'])
})

test('a claim that nobody makes is a fault', () => {
  const objects = sampleSystem()
  const workload = sampleWorkload(objects)
  workload.spec.template.spec.volumes!.push({ name: 's', persistentVolumeClaim: { claimName: 'signatures' } })
  assert.deepEqual(claimFaults(workload, objects), ['PersistentVolumeClaim signatures does not exist'])
  objects.push({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'signatures' } })
  assert.deepEqual(claimFaults(workload, objects), [])
})
