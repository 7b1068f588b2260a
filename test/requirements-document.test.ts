import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { chapters } from './requirement-list.ts'
import { namedTests, PAGE, renderRequirements, testsOf } from './requirements-document.ts'

test('docs/requirements.md names the tests that there are', () => {
  const page = readFileSync(PAGE, 'utf8')
  assert.equal(page, renderRequirements(), 'write it anew: node deploy/local/run.mjs test/requirements-document.ts')
})

test('every requirement has a test, or is said to be later work', () => {
  const requirements = chapters.flatMap((chapter) => chapter.requirements)
  const tests = namedTests()
  for (const { ids, tests: pattern, behaviour, later } of requirements) {
    if (pattern !== undefined) assert.ok(testsOf({ ids: [], tests: pattern, behaviour }, tests).length > 0, behaviour)
    for (const id of ids) assert.ok(testsOf({ ids: [id], behaviour }, tests).length > 0 || later !== undefined, id)
  }
  const known = requirements.flatMap(({ ids }) => ids)
  const named = tests.flatMap(({ name }) => name.match(/\bS[12]-\d\d\b/g) ?? [])
  assert.deepEqual(
    named.filter((id) => !known.includes(id)),
    [],
  )
})
