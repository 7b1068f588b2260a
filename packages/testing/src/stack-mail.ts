// Mail in and out of a running system, the short way: for tests whose subject is not the session itself.
import { readFileSync } from 'node:fs'
import { eventually } from './eventually.ts'
import type { Endpoints } from './launcher.ts'
import { subjectOf } from './mail-text.ts'
import { dialPop3, type Pop3Dialer } from './pop3-dialer.ts'
import { callApi } from './settings-client.ts'
import { dialSmtp, type SmtpDialer } from './smtp-dialer.ts'

interface Login {
  address: string
  password: string
}

export class StackMail {
  readonly endpoints: Endpoints
  readonly ca: Buffer

  constructor(endpoints: Endpoints) {
    this.endpoints = endpoints
    this.ca = readFileSync(endpoints.caCertificate)
  }

  /** A session on 587, encrypted and logged in. */
  async dialSubmission({ address, password }: Login): Promise<SmtpDialer> {
    const smtp = await dialSmtp(this.endpoints.submission, { ca: this.ca })
    await smtp.say('EHLO client.example', 250)
    await smtp.starttls()
    await smtp.say('EHLO client.example', 250)
    await smtp.authPlain(address, password)
    return smtp
  }

  /** A session on 465, logged in. */
  async dialSmtps({ address, password }: Login): Promise<SmtpDialer> {
    const smtp = await dialSmtp(this.endpoints.smtps, { tls: 'implicit', ca: this.ca })
    await smtp.say('EHLO client.example', 250)
    await smtp.authPlain(address, password)
    return smtp
  }

  /** A session on 25, after EHLO. */
  async dialMx(ehloName = 'relay.sender.example'): Promise<SmtpDialer> {
    const smtp = await dialSmtp(this.endpoints.mx)
    await smtp.say(`EHLO ${ehloName}`, 250)
    return smtp
  }

  /** A session on 995, logged in; it is shown mails as they were delivered (RFC 6856). */
  async dialPop3s({ address, password }: Login): Promise<Pop3Dialer> {
    const pop3 = await dialPop3(this.endpoints.pop3s, { tls: 'implicit', ca: this.ca })
    await pop3.say('UTF8')
    await pop3.login(address, password)
    return pop3
  }

  /** Sends as the account's owner; resolves to the queue id. */
  async submit(from: Login, recipients: string[], message: Buffer | string): Promise<string> {
    await using smtp = await this.dialSmtps(from)
    const reply = await smtp.send({ mailFrom: from.address, recipients }, message)
    return reply.queueId!
  }

  /** Sends from outside, over 25; resolves to the queue id. */
  async sendAsStranger(mailFrom: string, recipients: string[], message: Buffer | string): Promise<string> {
    await using smtp = await this.dialMx()
    const reply = await smtp.send({ mailFrom, recipients }, message)
    return reply.queueId!
  }

  /** Every mail in the maildrop, oldest first. */
  async messages(mailbox: Login): Promise<Buffer[]> {
    await using pop3 = await this.dialPop3s(mailbox)
    const mails = await pop3.retrieveAll()
    await pop3.quit()
    return mails
  }

  /** Waits until the maildrop holds as many mails, and gives them. More than that fails. */
  async received(mailbox: Login, count = 1, withinMs = 90_000): Promise<Buffer[]> {
    const isThere = async () => {
      await using pop3 = await this.dialPop3s(mailbox)
      const { length } = await pop3.list()
      const found = length >= count && (await pop3.retrieveAll())
      await pop3.quit()
      return found
    }
    const mails = await eventually(isThere, { withinMs, everyMs: 30 })
    if (mails.length > count) throw new Error(`expected ${count} mails, found ${mails.map(subjectOf).join(' | ')}`)
    return mails
  }

  /** What the quarantine knows of a mail; undefined when it is not there. */
  async quarantined(queueId: string): Promise<Record<string, unknown> | undefined> {
    const { status, body } = await this.#get(`/v1/quarantine/${queueId}`)
    return status === 200 ? body.items[0] : undefined
  }

  /** Where the mail of this queue id ended, for each recipient that it has ended for. */
  async trace(queueId: string): Promise<{ recipient: string; stage: string; outcome: string; detail?: string }[]> {
    const { status, body } = await this.#get(`/v1/messages?queueId=${queueId}`)
    if (status !== 200) throw new Error(`trace of ${queueId}: ${status}`)
    return body.items.filter(({ endedAt }: { endedAt?: string }) => endedAt !== undefined)
  }

  /** The same, once the mail has ended for as many recipients (a list counts beside its members). */
  async ended(queueId: string, count = 1): ReturnType<StackMail['trace']> {
    return eventually(async () => {
      const ends = await this.trace(queueId)
      return ends.length >= count && ends
    })
  }

  #get(path: string): ReturnType<typeof callApi> {
    return callApi(this.endpoints.settingsApi, this.endpoints.adminApiKey, 'GET', path)
  }
}
