// The DMARC aggregate report as XML (RFC 9990 appendix A).
import type { DmarcRow, PublishedPolicy } from '@sekimori/mail/dmarc-observation'
import type { DmarcSubject } from '@sekimori/store/dmarc-result'
import type { ReportFacts } from './report-facts.ts'

/** Children in the order in which they are written; undefined ones are left out. */
type Content = string | number | undefined | [string, Content][]

export function aggregateReport({ policy, rows, leftOut }: DmarcSubject, facts: ReportFacts): string {
  const { organization, contact, reportId, beginSeconds, endSeconds } = facts
  const metadata: Content = [
    ['org_name', organization],
    ['email', contact],
    ['report_id', reportId],
    [
      'date_range',
      [
        ['begin', beginSeconds],
        ['end', endSeconds],
      ],
    ],
    ['error', leftOut === 0 ? undefined : `${leftOut} more messages, from too many sources to list, are left out`],
    ['generator', 'Sekimori'],
  ]
  const feedback: Content = [
    ['version', '1.0'],
    ['report_metadata', metadata],
    ['policy_published', published(policy)],
    ...rows.map(({ row, mails }): [string, Content] => ['record', record(row, mails)]),
  ]
  return `<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">\n${write(feedback, '  ')}</feedback>\n`
}

function published({ domain, p, sp, np, fo, adkim, aspf, testing }: PublishedPolicy): Content {
  return [
    ['domain', domain],
    ['p', p],
    ['sp', sp],
    ['np', np],
    ['fo', fo],
    ['adkim', adkim],
    ['aspf', aspf],
    ['testing', testing],
    ['discovery_method', 'treewalk'],
  ]
}

function record(row: DmarcRow, mails: number): Content {
  const { spfResult, override } = row
  const evaluated: Content = [
    ['disposition', row.disposition],
    ['dkim', row.dkim],
    ['spf', row.spf],
    ['reason', override && [['type', override]]],
  ]
  return [
    [
      'row',
      [
        ['source_ip', row.sourceIp],
        ['count', mails],
        ['policy_evaluated', evaluated],
      ],
    ],
    [
      'identifiers',
      [
        ['envelope_from', row.envelopeFrom],
        ['header_from', row.headerFrom],
      ],
    ],
    [
      'auth_results',
      [
        ...row.signatures.map(({ domain, selector, result }): [string, Content] => [
          'dkim',
          [
            ['domain', domain],
            ['selector', selector],
            ['result', result],
          ],
        ]),
        [
          'spf',
          spfResult && [
            ['domain', spfResult.domain],
            ['scope', spfResult.scope],
            ['result', spfResult.result],
          ],
        ],
      ],
    ],
  ]
}

function write(children: [string, Content][], indent: string): string {
  return children
    .map(([name, content]) => {
      if (content === undefined) return ''
      if (!Array.isArray(content)) return `${indent}<${name}>${escaped(String(content))}</${name}>\n`
      return `${indent}<${name}>\n${write(content, `${indent}  `)}${indent}</${name}>\n`
    })
    .join('')
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escaped(text: string): string {
  return text
    .replace(/[&<>]/g, (letter) => ENTITIES[letter]!)
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
}
