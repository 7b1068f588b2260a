import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findObject, mainContainer, type Workload } from './kubernetes-object.ts'
import { lifeFaults, portFaults, type Service } from './ports.ts'
import { sampleSystem, sampleWorkload } from './sample.ts'

const settings = { MX_PORT: 1025, HEALTH_PORT: 9090, RELAY_PORT: 25, DRAIN_TIMEOUT_MS: 20_000 }

function portFaultsAfter(damage: (service: Service) => void, changed = {}): string {
  const objects = sampleSystem()
  damage(findObject<Service>(objects, 'Service', 'mx-gateway')!)
  return portFaults(sampleWorkload(objects), { ...settings, ...changed }, objects).join('\n')
}

function lifeFaultsAfter(damage: (workload: Workload) => void, changed = {}): string {
  const workload = sampleWorkload(sampleSystem())
  damage(workload)
  return lifeFaults(workload, { ...settings, ...changed }).join('\n')
}

test('the sample has no fault', () => {
  assert.equal(
    portFaultsAfter(() => {}),
    '',
  )
  assert.equal(
    lifeFaultsAfter(() => {}),
    '',
  )
})

test('a Service that leads elsewhere than to the setting is a fault', () => {
  const expected = /Service: 25 does not lead to MX_PORT/
  assert.match(
    portFaultsAfter(() => {}, { MX_PORT: 2525 }),
    expected,
  )
  assert.match(
    portFaultsAfter((service) => Object.assign(service.spec.ports[0]!, { port: 2525 })),
    expected,
  )
  assert.match(
    portFaultsAfter((service) => Object.assign(service.spec.ports[0]!, { targetPort: 'health' })),
    expected,
  )
  assert.match(
    portFaultsAfter((service) => Object.assign(service.metadata, { name: 'other' })),
    expected,
  )
  assert.match(
    portFaultsAfter((service) => Object.assign(service.spec, { selector: { app: 'other' } })),
    /other pods/,
  )
})

test('a Service port behind which nothing listens is a fault', () => {
  assert.match(
    portFaultsAfter((service) => service.spec.ports.push({ name: 'x', port: 26, targetPort: 'x' })),
    /nothing .* 26/,
  )
})

test("a mail port whose Service hides the client's address is a fault", () => {
  const expected = /MX_PORT is not reachable with client addresses/
  assert.match(
    portFaultsAfter((service) => Object.assign(service.spec, { externalTrafficPolicy: 'Cluster' })),
    expected,
  )
  assert.match(
    portFaultsAfter((service) => Object.assign(service.spec, { type: 'ClusterIP' })),
    expected,
  )
})

test('a listening port that nobody has thought of is a fault', () => {
  assert.match(
    portFaultsAfter(() => {}, { LMTP_PORT: 24 }),
    /LMTP_PORT: which port/,
  )
})

test('a probe that asks the wrong port or path is a fault', () => {
  assert.match(
    lifeFaultsAfter(() => {}, { HEALTH_PORT: 9091 }),
    /\/livez asks 9090, not HEALTH_PORT/,
  )
  assert.match(
    lifeFaultsAfter((w) => Reflect.deleteProperty(mainContainer(w), 'livenessProbe')),
    /no probe of \/livez/,
  )
  const toLivez = (w: Workload) => Object.assign(mainContainer(w).readinessProbe!.httpGet!, { path: '/livez' })
  assert.match(lifeFaultsAfter(toLivez), /no probe of \/readyz/)
})

test('metrics expected elsewhere are a fault', () => {
  const elsewhere = { annotations: { 'prometheus.io/port': '80' } }
  assert.match(
    lifeFaultsAfter((w) => Object.assign(w.spec.template.metadata, elsewhere)),
    /metrics are expected at 80/,
  )
})

test('a pod that is killed before its drain can end is a fault', () => {
  assert.match(
    lifeFaultsAfter(() => {}, { DRAIN_TIMEOUT_MS: 27_500 }),
    /killed after 60000 ms/,
  )
  assert.equal(
    lifeFaultsAfter(() => {}, { DRAIN_TIMEOUT_MS: 27_000 }),
    '',
  )
})
