import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseObjects } from './kubectl.ts'
import { schemaFaults } from './kubernetes-schema.ts'
import { sampleSystem, sampleWorkload } from './sample.ts'

async function faultsAfter(damage: (deployment: ReturnType<typeof sampleWorkload>) => void): Promise<string> {
  const objects = sampleSystem()
  damage(sampleWorkload(objects))
  return (await Promise.all(objects.map(schemaFaults))).flat().join('\n')
}

test('an object that the schema allows has no fault', async () => {
  assert.equal(await faultsAfter(() => {}), '')
})

test('a field that Kubernetes does not know is a fault, however deep it lies', async () => {
  assert.match(await faultsAfter((d) => Object.assign(d.spec, { replica: 2 })), /\/spec\/replica: unknown field/)
  const misspelt = { httpGet: { path: '/readyz', prot: 9090, port: 9090 } }
  const faults = await faultsAfter((d) =>
    Object.assign(d.spec.template.spec.containers[0]!, { readinessProbe: misspelt }),
  )
  assert.match(faults, /containers\/0\/readinessProbe\/httpGet\/prot: unknown field/)
})

test('a missing field, a wrong type and an impossible quantity are faults', async () => {
  assert.match(await faultsAfter((d) => Reflect.deleteProperty(d.spec, 'selector')), /required .*selector/)
  assert.match(await faultsAfter((d) => Object.assign(d.spec, { replicas: '2' })), /\/spec\/replicas: type/)
  const limits = { memory: '1 gigabyte' }
  const faults = await faultsAfter((d) => Object.assign(d.spec.template.spec.containers[0]!.resources!, { limits }))
  assert.match(faults, /limits\/memory: format/)
})

test('a kind that Kubernetes does not have is a fault', async () => {
  const [object] = parseObjects('apiVersion: apps/v1\nkind: Deploymint\nmetadata: { name: x }')
  assert.deepEqual(await schemaFaults(object!), ['Deploymint x : no schema'])
})

test('a key that is given twice is an error', () => {
  assert.throws(() => parseObjects('kind: A\nkind: B'), /unique/)
})
