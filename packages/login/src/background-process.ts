// A process that checks passwords one after the other, when the processors have nothing better to do. It ends with its parent.
import { isPasswordNow } from '@sekimori/store/password'

process.on('message', ({ encoded, password }: { encoded: string; password: string }) => {
  process.send!(isPasswordNow(encoded, password))
})
process.send!('ready')
// Ctrl-C at a terminal is for the parent, which lets its sessions end first.
process.on('SIGINT', () => {})
