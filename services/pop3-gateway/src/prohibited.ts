// Characters that a name or a password must not have (RFC 6856 section 2.2, RFC 4013 section 2.3).

/** Controls, private use, noncharacters, what is invisible or changes the direction of text. */
export const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u200e\u200f\u2028-\u202e\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{e0001}\u{e0020}-\u{e007f}]/u
