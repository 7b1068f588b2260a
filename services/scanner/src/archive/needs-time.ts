// Said of a mail that would make others wait: it is to be looked at where only such mails are.

export class NeedsTime extends Error {
  override name = 'NeedsTime'
}
