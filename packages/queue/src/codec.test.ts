// The octets of a message: they come back as they went in, and whatever else comes is told apart.
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import { decodeMessage, encodeMessage, UndecodableMessage } from './codec.ts'
import { everyQueue, notify, type Queue, scan } from './queues.ts'
import { jobFor } from './testing/job.ts'

test('a job comes back as it was sent, with inline or stored content', () => {
  const bytes = randomBytes(70_000)
  const inline: Job = { ...jobFor('q1'), content: { kind: 'inline', bytes } }
  const stored: Job = { ...jobFor('q2'), content: { kind: 'stored', id: 'q2', sizeBytes: 7 } }
  assert.deepEqual(decodeMessage(scan, encodeMessage(inline)), inline)
  assert.deepEqual(decodeMessage(scan, encodeMessage(stored)), stored)
  const { content, ...job } = jobFor('q3')
  const notice: Notice = { kind: 'infected', signature: 'Eicar', job, content }
  assert.deepEqual(decodeMessage(notify, encodeMessage(notice)), notice)
})

test('a job of another shape is not a message of the queue', () => {
  const { envelope: _, ...rest } = jobFor('q')
  for (const header of [rest, { ...jobFor('q'), queueId: '' }, { ...jobFor('q'), struck: ['0'] }, [], null, 'x', 7])
    assert.throws(() => decodeMessage(scan, framed(header)), UndecodableMessage)
  assert.throws(() => decodeMessage(notify, encodeMessage(jobFor('q'))), UndecodableMessage)
})

test('content that is neither inline nor stored is undecodable', () => {
  for (const content of [undefined, {}, { kind: 'stored' }, { kind: 'stored', id: 'x', sizeBytes: -1 }, { kind: 'x' }])
    assert.throws(() => decodeMessage(scan, framed({ ...jobFor('q'), content })), UndecodableMessage)
})

test('garbage, cut and damaged messages never throw anything but UndecodableMessage', () => {
  const whole = encodeMessage(jobFor('q'))
  const samples = [Buffer.alloc(0), Buffer.from([255, 255, 255, 255, 1]), randomBytes(5_000), framed('not an object')]
  for (let cut = 0; cut < whole.length; cut += 7) samples.push(whole.subarray(0, cut))
  for (let i = 0; i < 2_000; i++) samples.push(damaged(whole))
  for (const queue of everyQueue as Queue<Job>[]) {
    for (const sample of samples) {
      try {
        decodeMessage(queue, sample)
      } catch (error) {
        assert.ok(error instanceof UndecodableMessage, String(error))
      }
    }
  }
})

function framed(header: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json])
}

function damaged(whole: Buffer): Buffer {
  const copy = Buffer.from(whole)
  for (let times = randomInt(1, 6); times > 0; times--) copy[randomInt(copy.length)] = randomInt(256)
  return copy
}
