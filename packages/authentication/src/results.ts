// The Authentication-Results field that we add (RFC 8601): one field, one line a method.

/** One method's result as RFC 8601 writes it, such as "spf=pass smtp.mailfrom=example.org". */
export type MethodResult = string

const LINE_LENGTH = 120

/** The field's line, folded. Results come from strangers' data: line breaks and control characters are taken out. */
export function authenticationResults(hostname: string, results: MethodResult[]): string {
  const parts = results.length === 0 ? ['none'] : results.map((result) => fold(clean(result)))
  return `Authentication-Results: ${hostname};\r\n\t${parts.join(';\r\n\t')}`
}

/** A header line made safe: one logical line, no control characters, folded at white space. */
export function safeLine(line: string): string {
  return fold(clean(line))
}

function clean(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}

function fold(text: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= LINE_LENGTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\r\n\t')
}
