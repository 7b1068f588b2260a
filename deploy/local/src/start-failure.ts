// An error meant for the person at the terminal: what is wrong and what to do about it, in English and Japanese.

/** `npm start` can't go on. Both texts name the remedy; nothing of it is secret. */
export class StartFailure extends Error {
  override name = 'StartFailure'
  readonly japanese: string

  constructor(english: string, japanese: string, options?: ErrorOptions) {
    super(english, options)
    this.japanese = japanese
  }
}
