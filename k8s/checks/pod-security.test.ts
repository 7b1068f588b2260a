import assert from 'node:assert/strict'
import { test } from 'node:test'
import { securityFaults } from './pod-security.ts'
import { sampleSystem, sampleWorkload } from './sample.ts'

type Pod = ReturnType<typeof sampleWorkload>['spec']['template']['spec']

function faultsAfter(damage: (pod: Pod) => void): string[] {
  const workload = sampleWorkload(sampleSystem())
  damage(workload.spec.template.spec)
  return securityFaults(workload)
}

test('a confined pod has no fault', () => {
  assert.deepEqual(
    faultsAfter(() => {}),
    [],
  )
})

const podDamage: [string, (pod: Pod) => void][] = [
  ['may run as root', (pod) => Object.assign(pod.securityContext!, { runAsUser: 0 })],
  ['may run as root', (pod) => Object.assign(pod.securityContext!, { runAsNonRoot: undefined })],
  ['has no seccomp profile', (pod) => Object.assign(pod.securityContext!, { seccompProfile: undefined })],
  ['holds a token of the cluster', (pod) => Object.assign(pod, { automountServiceAccountToken: undefined })],
  ['finds the addresses of Services among its settings', (pod) => Object.assign(pod, { enableServiceLinks: true })],
  ["shares the node's namespaces", (pod) => Object.assign(pod, { hostNetwork: true })],
  ["volume logs is the node's", (pod) => pod.volumes!.push({ name: 'logs', hostPath: { path: '/var/log' } })],
]
for (const [fault, damage] of podDamage)
  test(`a pod that ${fault} is a fault`, () => assert.deepEqual(faultsAfter(damage), [fault]))

const containerDamage: [string, object][] = [
  ['may gain privileges', { securityContext: { allowPrivilegeEscalation: undefined } }],
  ['is privileged', { securityContext: { privileged: true } }],
  ['may write its root file system', { securityContext: { readOnlyRootFilesystem: false } }],
  ['has capabilities', { securityContext: { capabilities: { drop: ['NET_RAW'] } } }],
  ['has capabilities', { securityContext: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } } }],
  ['requests no CPU or memory', { resources: { requests: { cpu: '1' } } }],
  ['has no memory limit', { resources: { limits: {} } }],
  ['image sekimori/x has no fixed tag', { image: 'sekimori/x' }],
  ['image sekimori/x:latest has no fixed tag', { image: 'sekimori/x:latest' }],
]
for (const [fault, change] of containerDamage)
  test(`a container that ${fault} is a fault, an init container too`, () => {
    const damaged = (pod: Pod) => {
      const { securityContext, resources, ...rest } = pod.containers[0]!
      const {
        securityContext: changedContext,
        resources: changedResources,
        ...changed
      } = change as typeof rest & Pick<Pod['containers'][0], 'securityContext' | 'resources'>
      return {
        ...rest,
        ...changed,
        securityContext: { ...securityContext, ...changedContext },
        resources: { ...resources, ...changedResources },
      }
    }
    const expected = [`container service ${fault}`]
    assert.deepEqual(
      faultsAfter((pod) => Object.assign(pod, { containers: [damaged(pod)] })),
      expected,
    )
    assert.deepEqual(
      faultsAfter((pod) => Object.assign(pod, { initContainers: [damaged(pod)] })),
      expected,
    )
  })
