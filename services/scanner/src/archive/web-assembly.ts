// The part of WebAssembly's JavaScript interface that is used here: TypeScript knows it only together with browsers.

/** Compiled code; it may be handed to worker threads. */
export type WasmModule = object

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface Api {
  compile(code: Uint8Array): Promise<WasmModule>
  Instance: new (module: WasmModule, imports: Record<string, object>) => { exports: unknown }
  RuntimeError: new () => Error
}

export const { compile, Instance, RuntimeError } = (globalThis as unknown as { WebAssembly: Api }).WebAssembly
