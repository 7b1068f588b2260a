// The only world that the unpacker's WebAssembly can see: the calls of Emscripten's C library, answered from memory.
import type { GuestFiles } from './guest-files.ts'
import type { GuestMemory } from './guest-memory.ts'

const ERRNO = { EBADF: 8, EINVAL: 28, ENOENT: 44, ENOTTY: 59, EPERM: 63 }
const O_CREAT = 0o100

/** The program ended by itself. */
export class Exit {
  readonly code: number
  constructor(code: number) {
    this.code = code
  }
}

/** The program threw a C++ exception, which this build of it can not catch, or aborted. */
export class UnpackerThrew extends Error {
  override name = 'UnpackerThrew'
}

type Imports = Record<string, (...args: never[]) => unknown>

/** All imports of 7zz.wasm. */
export function sevenZipHost(memory: GuestMemory, files: GuestFiles): Record<string, Imports> {
  return {
    env: { ...program(memory), ...paths(memory, files), ...descriptors(memory, files) },
    wasi_snapshot_preview1: wasi(memory, files),
  }
}

function program(memory: GuestMemory): Imports {
  const noTime = () => 0
  return {
    __cxa_throw: () => {
      throw new UnpackerThrew('C++ exception')
    },
    _abort_js: () => {
      throw new UnpackerThrew('abort')
    },
    exit: (code: number) => {
      throw new Exit(code)
    },
    emscripten_date_now: noTime,
    _tzset_js: noTime,
    _mktime_js: () => 0n,
    _localtime_js: noTime,
    _gmtime_js: noTime,
    emscripten_get_heap_max: () => memory.limitBytes,
    emscripten_resize_heap: (size: number) => Number(memory.grow(size >>> 0)),
  }
}

function paths(memory: GuestMemory, files: GuestFiles): Imports {
  const done = () => 0
  const stat = (path: number, buffer: number) => writeStat(memory, buffer, files.stat(memory.text(path)))
  return {
    __syscall_stat64: stat,
    __syscall_lstat64: stat,
    __syscall_newfstatat: (_directory: number, path: number, buffer: number) => stat(path, buffer),
    __syscall_mkdirat: (_directory: number, path: number) => {
      files.makeDirectory(memory.text(path))
      return 0
    },
    __syscall_getcwd: (buffer: number, size: number) => {
      if (size < 2) return -ERRNO.EINVAL
      memory.view.setUint16(buffer, 0x2f00)
      return 2
    },
    __syscall_readlinkat: () => -ERRNO.EINVAL,
    __syscall_renameat: () => -ERRNO.EPERM,
    __syscall_getdents64: done,
    // Nothing has rights, owners or times here, and there is nothing to remove or to link to.
    __syscall_chmod: done,
    __syscall_fchownat: done,
    __syscall_utimensat: done,
    __syscall_symlinkat: done,
    __syscall_unlinkat: done,
    __syscall_rmdir: done,
  }
}

function descriptors(memory: GuestMemory, files: GuestFiles): Imports {
  return {
    __syscall_openat: (_directory: number, path: number, flags: number) =>
      files.open(memory.text(path), (flags & O_CREAT) !== 0) ?? -ERRNO.ENOENT,
    __syscall_fstat64: (fd: number, buffer: number) => writeStat(memory, buffer, files.statOpen(fd)),
    __syscall_ftruncate64: () => 0,
    __syscall_ioctl: () => -ERRNO.ENOTTY,
  }
}

function writeStat(
  memory: GuestMemory,
  buffer: number,
  found: { mode: number; sizeBytes: number } | undefined,
): number {
  if (found === undefined) return -ERRNO.ENOENT
  memory.writeStat(buffer, found.mode, found.sizeBytes)
  return 0
}

function wasi(memory: GuestMemory, files: GuestFiles): Imports {
  const setUint32 = (pointer: number, value: number) => {
    memory.view.setUint32(pointer, value, true)
    return 0
  }
  return {
    environ_sizes_get: (count: number, sizeBytes: number) => setUint32(count, 0) + setUint32(sizeBytes, 0),
    environ_get: () => 0,
    clock_time_get: (_clock: number, _precision: bigint, time: number) => {
      memory.view.setBigUint64(time, 0n, true)
      return 0
    },
    fd_fdstat_get: () => ERRNO.EBADF,
    fd_close: (fd: number) => {
      files.close(fd)
      return 0
    },
    fd_read: (fd: number, vectors: number, count: number, total: number) =>
      setUint32(total, files.read(fd, memory.vectors(vectors, count))),
    fd_write: (fd: number, vectors: number, count: number, total: number) =>
      setUint32(total, files.write(fd, memory.vectors(vectors, count))),
    fd_seek: (fd: number, offset: bigint, whence: number, result: number) => {
      const position = files.seek(fd, Number(offset), whence)
      if (position === undefined) return ERRNO.EINVAL
      memory.view.setBigInt64(result, BigInt(position), true)
      return 0
    },
  }
}
