import assert from 'node:assert/strict'
import { test } from 'node:test'
import { render, runKubectl } from './kubectl.ts'

test('without kubectl, the error says what to install', async () => {
  await assert.rejects(runKubectl('/nowhere/kubectl', ['version']), /install kubectl 1\.27 or newer .* on PATH/)
})

test('a kustomization that cannot be rendered is an error that says why', async () => {
  await assert.rejects(render('/nowhere'), /nowhere/)
})
