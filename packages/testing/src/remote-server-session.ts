// One SMTP session of the scripted remote server (RFC 5321): takes mail unless the script says otherwise.
import type { LineSocket } from './line-socket.ts'
import type { Script, Step } from './remote-server-script.ts'

export interface ReceivedMail {
  /** Empty for the null reverse-path. */
  mailFrom: string
  recipients: string[]
  /** The message as sent, un-dot-stuffed. */
  data: Buffer
  tls: boolean
  /** Argument of the last EHLO or HELO. */
  ehlo: string
  /** ESMTP parameters of MAIL as sent. */
  parameters: string
}

export interface SessionPorts {
  hostname: string
  script: Script
  /** Offered beside PIPELINING, SIZE and ENHANCEDSTATUSCODES. */
  extensions: string[]
  certificate: { cert: string; key: string } | undefined
  onCommand: (line: string) => void
  onMail: (mail: ReceivedMail) => void
}

export class RemoteSession {
  readonly #socket: LineSocket
  readonly #ports: SessionPorts
  #ehlo = ''
  #mailFrom: string | undefined
  #parameters = ''
  #recipients: string[] = []

  constructor(socket: LineSocket, ports: SessionPorts) {
    this.#socket = socket
    this.#ports = ports
  }

  /** Converses until the client or the script ends the session. */
  async run(): Promise<void> {
    let goesOn = await this.#answer('connect', `220 ${this.#ports.hostname} ESMTP test`)
    while (goesOn) {
      const line = await this.#socket.readLine('a command')
      this.#ports.onCommand(line)
      goesOn = await this.#obey(line)
    }
  }

  async #obey(line: string): Promise<boolean> {
    const verb = line.slice(0, 4).toUpperCase()
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        this.#ehlo = line.slice(5)
        return this.#answer('EHLO', verb === 'HELO' ? `250 ${this.#ports.hostname}` : this.#capabilities())
      case 'STAR':
        return this.#startTls()
      case 'MAIL':
        return this.#mail(line)
      case 'RCPT':
        return this.#rcpt(line)
      case 'DATA':
        return this.#data()
      case 'RSET':
        this.#reset()
        return this.#speak('250 2.0.0 Ok')
      case 'NOOP':
        return this.#speak('250 2.0.0 Ok')
      case 'QUIT':
        await this.#speak('221 2.0.0 Bye')
        return false
      default:
        return this.#speak('500 5.5.2 Unknown command')
    }
  }

  #capabilities(): string {
    const starttls = this.#offersTls ? ['STARTTLS'] : []
    const words = ['PIPELINING', 'SIZE 104857600', ...this.#ports.extensions, ...starttls]
    const lines = [this.#ports.hostname, ...words].map((word) => `250-${word}`)
    return [...lines, '250 ENHANCEDSTATUSCODES'].join('\r\n')
  }

  get #offersTls(): boolean {
    return this.#ports.certificate !== undefined && !this.#socket.isEncrypted
  }

  async #startTls(): Promise<boolean> {
    const { certificate, script } = this.#ports
    if (certificate === undefined || !this.#offersTls) return this.#speak('502 5.5.1 Not offered')
    const scripted = script.next('STARTTLS')
    if (scripted !== undefined) return this.#speak(scripted)
    await this.#socket.write('220 2.0.0 Go on\r\n')
    await this.#socket.acceptTls(certificate)
    this.#reset()
    return true
  }

  async #mail(line: string): Promise<boolean> {
    const match = /^MAIL FROM:<([^>]*)> ?(.*)$/i.exec(line)
    if (match === null) return this.#speak('501 5.5.4 Syntax')
    const reply = this.#ports.script.next('MAIL') ?? '250 2.1.0 Ok'
    this.#reset()
    if (reply.startsWith('2')) this.#mailFrom = match[1]
    this.#parameters = match[2] ?? ''
    return this.#speak(reply)
  }

  async #rcpt(line: string): Promise<boolean> {
    const recipient = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1]
    if (recipient === undefined || this.#mailFrom === undefined) return this.#speak('503 5.5.1 Not now')
    const reply = this.#ports.script.next('RCPT', [recipient]) ?? '250 2.1.5 Ok'
    if (reply.startsWith('2')) this.#recipients.push(recipient)
    return this.#speak(reply)
  }

  async #data(): Promise<boolean> {
    const mailFrom = this.#mailFrom
    const recipients = this.#recipients
    if (mailFrom === undefined || recipients.length === 0) return this.#speak('503 5.5.1 No recipients')
    const refusal = this.#ports.script.next('DATA', recipients)
    if (refusal !== undefined) return this.#speak(refusal)
    await this.#socket.write('354 Go on\r\n')
    const data = await this.#socket.readDotted('the message')
    const verdict = this.#ports.script.next('message', recipients) ?? '250 2.0.0 Ok: queued as remote'
    if (verdict.startsWith('2') || verdict.startsWith('taken')) {
      const session = { tls: this.#socket.isEncrypted, ehlo: this.#ehlo, parameters: this.#parameters }
      this.#ports.onMail({ mailFrom, recipients, data, ...session })
    }
    this.#reset()
    return this.#speak(verdict)
  }

  #reset(): void {
    this.#mailFrom = undefined
    this.#recipients = []
    this.#parameters = ''
  }

  #answer(at: Step, otherwise: string): Promise<boolean> {
    return this.#speak(this.#ports.script.next(at) ?? otherwise)
  }

  /** Says a reply (or does what the script wants instead); tells whether the session goes on. */
  async #speak(reply: string): Promise<boolean> {
    // What the client has sent ahead is read and left unanswered, until it hangs up.
    while (reply.endsWith('silence')) await this.#socket.readLine('the end')
    if (reply.endsWith('close')) return false
    await this.#socket.write(`${reply}\r\n`)
    return !reply.startsWith('421')
  }
}
