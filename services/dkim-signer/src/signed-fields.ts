// Which header fields a signature covers (RFC 6376 section 5.4), and which it covers once more than they occur.

/**
 * Fields that say who speaks to whom, about what, and how the body is to be read. Signed once more than they are there
 * (RFC 6376 section 8.15): a field of these names that somebody adds on the way makes the signature fail.
 */
export const OVERSIGNED_FIELDS = [
  'From',
  'Sender',
  'Reply-To',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
]

/** Signed where they are there; relays and lists may add them without touching what was said. */
const OTHER_FIELDS = [
  'In-Reply-To',
  'References',
  'Content-ID',
  'Content-Description',
  'Auto-Submitted',
  'Resent-Date',
  'Resent-From',
  'Resent-Sender',
  'Resent-To',
  'Resent-Cc',
  'Resent-Message-ID',
  'List-Id',
  'List-Help',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
]

export const SIGNED_FIELDS = [...OVERSIGNED_FIELDS, ...OTHER_FIELDS]
