// Runs inside of Thunderbird, each function by itself (Marionette.run): mail is sent as by the compose window, fetched as by
// "Get Messages", and read as by the message window.

export interface Draft {
  accountKey: string
  to: string
  subject: string
  body: string
  /** File URL. */
  attachment: string
}

export interface ReadMail {
  subject: string
  author: string
  text: string
  attachments: { name: string; base64: string }[]
}

interface MimeMessage {
  allUserAttachments: { name: string; url: string; contentType: string }[]
  coerceBodyToPlaintext(folder: unknown): string
}

/** Sends at once; resolves to an error's number as XPCOM has it, 0 for none. */
export async function send(draft: Draft): Promise<number> {
  const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
  const identity = MailServices.accounts.getAccount(draft.accountKey).defaultIdentity
  const fields = Cc['@mozilla.org/messengercompose/composefields;1'].createInstance(Ci.nsIMsgCompFields)
  Object.assign(fields, { from: identity.fullAddress, to: draft.to, subject: draft.subject, body: draft.body })
  const attachment = Cc['@mozilla.org/messengercompose/attachment;1'].createInstance(Ci.nsIMsgAttachment)
  Object.assign(attachment, { url: draft.attachment, name: decodeURIComponent(draft.attachment.split('/').at(-1)!) })
  fields.addAttachment(attachment)
  const sent = Promise.withResolvers<number>()
  const listener = {
    QueryInterface: ChromeUtils.generateQI(['nsIMsgSendListener', 'nsIMsgCopyServiceListener']),
    onStartSending() {},
    onSendProgress() {},
    onStatus() {},
    onGetDraftFolderURI() {},
    onSendNotPerformed: (_id: string, status: number) => sent.resolve(status),
    onTransportSecurityError: (_id: string, status: number) => sent.resolve(status),
    onStopSending(_id: string, status: number) {
      if (!Components.isSuccessCode(status)) sent.resolve(status)
    },
    onStartCopy() {},
    onProgress() {},
    setMessageKey() {},
    /** The mail lies in the folder for sent mail. */
    onStopCopy: (status: number) => sent.resolve(status),
  }
  const { nsMsgDeliverNow } = Ci.nsIMsgSend
  const given = [
    null,
    identity,
    draft.accountKey,
    fields,
    false,
    false,
    nsMsgDeliverNow,
    null,
    'text/plain',
    draft.body,
  ]
  const message = Cc['@mozilla.org/messengercompose/send;1'].createInstance(Ci.nsIMsgSend)
  // What it throws is said to the listener as well.
  const run = message.createAndSendMessage(...given, window, null, listener, '', null, Ci.nsIMsgCompType.New)
  run?.catch((error: { result?: number }) => sent.resolve(error.result ?? -1))
  return sent.promise
}

/** Fetches what is new; resolves to an error's number, 0 for none. */
export async function getMessages(accountKey: string): Promise<number> {
  const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
  const server = MailServices.accounts.getAccount(accountKey).incomingServer
  const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox)
  const fetched = Promise.withResolvers<number>()
  const listener = {
    QueryInterface: ChromeUtils.generateQI(['nsIUrlListener']),
    OnStartRunningUrl() {},
    OnStopRunningUrl: (_url: unknown, status: number) => fetched.resolve(status),
  }
  MailServices.pop3.GetNewMail(window.msgWindow, listener, inbox, server)
  return fetched.promise
}

/** The mails of the account's inbox as the message window shows them. */
export async function readInbox(accountKey: string): Promise<ReadMail[]> {
  const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
  const { MsgHdrToMimeMessage } = ChromeUtils.importESModule('resource:///modules/gloda/MimeMessage.sys.mjs')
  const { AttachmentInfo } = ChromeUtils.importESModule('resource:///modules/AttachmentInfo.sys.mjs')
  const { rootFolder } = MailServices.accounts.getAccount(accountKey).incomingServer
  const inbox = rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox)
  const mails: ReadMail[] = []
  for (const header of [...inbox.messages]) {
    const parsed = Promise.withResolvers<MimeMessage>()
    MsgHdrToMimeMessage(header, null, (_header: unknown, mail: MimeMessage) => parsed.resolve(mail), true)
    const mail = await parsed.promise
    const attachments: ReadMail['attachments'] = []
    for (const { name, url, contentType } of mail.allUserAttachments) {
      const info = new AttachmentInfo({ name, url, contentType, uri: inbox.getUriForMsg(header), message: header })
      attachments.push({ name, base64: new Uint8Array(await info.fetchAttachment()).toBase64() })
    }
    const text = mail.coerceBodyToPlaintext(inbox)
    mails.push({ subject: header.mime2DecodedSubject, author: header.mime2DecodedAuthor, text, attachments })
  }
  return mails
}
