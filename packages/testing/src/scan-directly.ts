// Asks clamd itself what it makes of some text, past the system (INSTREAM, clamd(8)).
import { connect } from 'node:net'

/** The reply to a scan of the text, by the clamd at this socket. */
export function scanDirectly(socketPath: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const content = Buffer.from(text)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(content.length)
    let reply = ''
    connect(socketPath)
      .setEncoding('latin1')
      .on('data', (part: string) => {
        reply += part
      })
      .on('end', () => resolve(reply.replace(/\0$/, '')))
      .on('error', reject)
      .end(Buffer.concat([Buffer.from('zINSTREAM\0'), length, content, Buffer.alloc(4)]))
  })
}
