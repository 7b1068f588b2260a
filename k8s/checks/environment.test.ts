import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ContainerEnvironment, environmentOf } from './environment.ts'
import { mainContainer } from './kubernetes-object.ts'
import { sampleSystem, sampleWorkload } from './sample.ts'

function environmentAfter(damage: (objects: ReturnType<typeof sampleSystem>) => void): ContainerEnvironment {
  const objects = sampleSystem()
  damage(objects)
  const workload = sampleWorkload(objects)
  return environmentOf(workload.spec.template.spec, mainContainer(workload), objects)
}

test('variables and files are those that the container will find', () => {
  assert.deepEqual(
    environmentAfter(() => {}),
    {
      variables: {
        MAIL_HOSTNAME: 'mail.example.test',
        DRAIN_TIMEOUT_MS: '20000',
        DATABASE_URL_FILE: '/run/secrets/url',
        API_KEY_FILE: '/run/keys/the-key',
      },
      files: new Map([
        ['/run/secrets/url', 'postgres://postgres/x'],
        ['/run/secrets/api-key', 'a-key'],
        ['/run/keys/the-key', 'a-key'],
      ]),
      faults: [],
    },
  )
})

test('single keys of ConfigMaps and Secrets are followed, and files mounted one by one', () => {
  const { variables, files, faults } = environmentAfter((objects) => {
    const container = mainContainer(sampleWorkload(objects))
    container.env = [
      { name: 'HOST', valueFrom: { configMapKeyRef: { name: 'settings', key: 'MAIL_HOSTNAME' } } },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'api-key' } } },
    ]
    container.volumeMounts = [{ name: 'keys', mountPath: '/etc/key', subPath: 'the-key' }]
  })
  assert.equal(variables.HOST, 'mail.example.test')
  assert.equal(variables.KEY, 'a-key')
  assert.deepEqual([...files], [['/etc/key', 'a-key']])
  assert.deepEqual(faults, [])
})

test('a Secret or ConfigMap that is not there, or lacks a key, is a fault', () => {
  const without = (name: string) => (objects: ReturnType<typeof sampleSystem>) =>
    void objects.splice(
      objects.findIndex(({ metadata }) => metadata.name === name),
      1,
    )
  assert.ok(environmentAfter(without('keys')).faults.includes('Secret keys does not exist'))
  assert.deepEqual(environmentAfter(without('settings')).faults, ['ConfigMap settings does not exist'])
  const { faults } = environmentAfter((objects) => {
    mainContainer(sampleWorkload(objects)).env!.push({
      name: 'X',
      valueFrom: { secretKeyRef: { name: 'keys', key: 'absent' } },
    })
  })
  assert.deepEqual(faults, ['Secret keys has no absent'])
})

test('a variable that is given twice is a fault', () => {
  const { faults } = environmentAfter((objects) => {
    mainContainer(sampleWorkload(objects)).env!.push({ name: 'MAIL_HOSTNAME', value: 'other' })
  })
  assert.deepEqual(faults, ['MAIL_HOSTNAME is given twice'])
})
