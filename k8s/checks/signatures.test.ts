import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseObjects } from './kubectl.ts'
import { type Workload, workloadsOf } from './kubernetes-object.ts'
import { signatureFaults } from './signatures.ts'

const TEXT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: freshclam }
spec:
  strategy: { type: Recreate }
  template:
    spec:
      containers: [{ name: freshclam, command: [freshclam], volumeMounts: [{ name: s, mountPath: /var/lib/clamav }] }]
      volumes: [{ name: s, persistentVolumeClaim: { claimName: signatures } }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: clamd }
spec:
  serviceName: clamd
  replicas: 2
  template:
    spec:
      containers: [{ name: clamd, command: [clamd], volumeMounts: [{ name: s, mountPath: /var/lib/clamav, readOnly: true }] }]
      volumes: [{ name: s, persistentVolumeClaim: { claimName: signatures } }]
`
const ADDRESSES = ['clamd-0.clamd:3310', 'clamd-1.clamd:3310']

/** The faults of the system after a change to its fetcher or its clamd. */
function faultsAfter(change: (fetcher: Workload, engine: Workload) => void, addresses = ADDRESSES): string {
  const workloads = workloadsOf(parseObjects(TEXT))
  change(workloads[0]!, workloads[1]!)
  return signatureFaults(workloads, addresses).join('; ')
}

test('one fetcher, and clamds that read what it fetches and are known by name, are right', () => {
  assert.equal(
    faultsAfter(() => {}),
    '',
  )
})

const broken: [string, (fetcher: Workload, engine: Workload) => void, RegExp][] = [
  ['no fetcher', (fetcher) => Object.assign(container(fetcher), { command: ['sh'] }), /^0 workloads run freshclam/],
  ['two fetchers at a time', (fetcher) => Object.assign(fetcher.spec, { replicas: 2 }), /2 replicas/],
  ['two fetchers during an update', (fetcher) => Object.assign(fetcher.spec, { strategy: {} }), /runs twice/],
  [
    'a fetcher beside each clamd',
    (_fetcher, engine) => engine.spec.template.spec.containers.push({ name: 'f', command: ['freshclam'] }),
    /2 workloads run freshclam/,
  ],
  [
    'signatures of its own',
    (_fetcher, engine) => Object.assign(engine.spec.template.spec, { volumes: [{ name: 's', emptyDir: {} }] }),
    /clamd does not read what freshclam fetches/,
  ],
  [
    'a clamd that may write them',
    (_fetcher, engine) => Object.assign(container(engine).volumeMounts![0]!, { readOnly: false }),
    /container clamd may write the signatures/,
  ],
  ['a clamd that is not named', (_fetcher, engine) => Object.assign(engine.spec, { replicas: 3 }), /name clamd-2$/],
]
for (const [what, change, fault] of broken) test(`${what}: a fault`, () => assert.match(faultsAfter(change), fault))

test('a Service in place of the clamds behind it is a fault: the self-test would reach one of them', () => {
  assert.match(
    faultsAfter(() => {}, ['clamd:3310']),
    /CLAMD_ADDRESS does not name clamd-0; CLAMD_ADDRESS does not name clamd-1/,
  )
})

function container(workload: Workload) {
  return workload.spec.template.spec.containers[0]!
}
