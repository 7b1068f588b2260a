// Runs a program that Emscripten compiled to WebAssembly, in an instance of its own.
import type { GuestMemory } from './guest-memory.ts'
import { Instance, type WasmMemory, type WasmModule } from './web-assembly.ts'

interface Program {
  memory: WasmMemory
  __wasm_call_ctors(): void
  __main_argc_argv(argc: number, argv: number): number
  _emscripten_stack_alloc(sizeBytes: number): number
}

/** Runs it to its end. @throws whatever its imports throw, and RuntimeError for what it does wrong. */
export function runProgram(
  module: WasmModule,
  imports: Record<string, object>,
  memory: GuestMemory,
  args: string[],
): void {
  const program = new Instance(module, imports).exports as Program
  memory.attach(program.memory)
  program.__wasm_call_ctors()
  program.__main_argc_argv(args.length, pass(program, args))
}

/** Puts the arguments onto the program's stack. */
function pass(program: Program, args: string[]): number {
  const texts = args.map((arg) => Buffer.from(`${arg}\0`))
  const pointers = texts.map((text) => {
    const pointer = program._emscripten_stack_alloc(text.length)
    new Uint8Array(program.memory.buffer).set(text, pointer)
    return pointer
  })
  const argv = program._emscripten_stack_alloc(4 * (args.length + 1))
  const view = new DataView(program.memory.buffer)
  for (const [i, pointer] of [...pointers, 0].entries()) view.setUint32(argv + 4 * i, pointer, true)
  return argv
}
