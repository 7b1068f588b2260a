// The deadline that every wait of a test's connection has.
import type { Socket } from 'node:net'

/** Waits for `work`, or fails at the deadline and ends the connection. */
export async function settled<T>(work: Promise<T>, timeoutMs: number, awaited: string, socket: Socket): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new Error(`waited ${timeoutMs} ms in vain for ${awaited}`))
    socket.destroy()
  }, timeoutMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
