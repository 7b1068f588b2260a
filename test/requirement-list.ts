// What the system must do, one row a behaviour: its ids, the behaviour in a few words, and what of it is not here yet.
// Rows without an id are rules of our own, where the specifications are silent.

export interface Requirement {
  /** Tests have them in their names. */
  ids: string[]
  behaviour: string
  /** Finds the tests of a row without ids, in file and name. */
  tests?: RegExp
  /** What belongs to later work; without it the row must have tests. */
  later?: string
}

export interface Chapter {
  title: string
  requirements: Requirement[]
}

const row = (ids: string, behaviour: string, later?: string): Requirement => ({
  ids: ids.split(' '),
  behaviour,
  ...(later === undefined ? {} : { later }),
})

const own = (tests: RegExp, behaviour: string, later?: string): Requirement => ({
  ids: [],
  tests,
  behaviour,
  ...(later === undefined ? {} : { later }),
})

export const chapters: Chapter[] = [
  {
    title: 'Transport and access',
    requirements: [
      row('S1-01 S2-16', 'Clients can encrypt both paths: POP over SSL, SMTP over SSL, STARTTLS'),
      row('S1-02', 'Clients may connect from any network'),
      row('S1-03 S2-14 S2-15', 'No third-party relay: mail for sending only after AUTH'),
      row('S1-04', 'Port 587 is for submission only'),
      row('S1-05', 'AUTH is mandatory on 587'),
      row('S1-06', 'STARTTLS is offered on 587'),
      row('S1-07', 'Port 25: server-to-server mail for local recipients only, never AUTH'),
      row('S1-08', 'On for every account, nothing to configure'),
      row('S1-09 S2-19', 'POP3 on 110 and POP over SSL on 995'),
      row('S1-10 S2-18', 'SMTP over SSL on 465'),
      row('S1-12 S2-17', 'Beyond the pages: encryption between servers'),
      row('S1-13', 'AUTH LOGIN as well as PLAIN; the SMTP login is the POP login'),
      own(/^access.* before TLS|PLAINTEXT_AUTH/, 'AUTH and USER only inside TLS, unless PLAINTEXT_AUTH=allow'),
      row('S1-33', 'Help for mail clients, automatic configuration', 'all of it: it comes with the control panel'),
    ],
  },
  {
    title: 'Virus check',
    requirements: [
      row('S1-14', 'Sent and received mail are both scanned, for everyone'),
      row('S1-15', 'Scanned: attachments and the active parts of HTML bodies'),
      row('S1-16', 'On detection: set aside and notify'),
      row('S1-17', 'On sending: stopped, the sender is warned'),
      row('S1-18', 'On receiving: stopped, each local recipient is warned'),
      row('S1-19', 'Between two local accounts: stopped at the first, both are warned'),
      row('S1-20', 'What was quarantined is never handed to a customer'),
      row('S1-21', 'Signatures are updated; their age is visible'),
      row(
        'S1-22',
        'Inspected inside: ZIP, ARJ, LZH, CAB, RAR, TAR, GZIP, BZIP2, EXE',
        'ARJ, LZH, CAB, RAR and EXE from outside',
      ),
      row('S1-23', 'Nesting levels 1 to 7 are always inspected'),
      row('S1-24', 'Password-protected archives are not blocked'),
      own(
        /could not be inspected|^unscannable/,
        'What could not be inspected is never silently clean: delivered, held or refused as its domain wants',
      ),
      own(/^quarantine-release/, 'Quarantine: sealed, freed in time, every access recorded; a release happens once'),
      own(
        /^rescan\./,
        'New signatures: delivered mail is scanned again, leaves the maildrop, its owner is warned once',
      ),
      own(/^scanner-away/, 'A scanner that is away never lets mail pass: mail waits'),
      row('S1-26', 'The operator can suspend warnings at run time; the count is exact'),
      row('S1-28 S1-29', 'Warnings can be switched off; on by default', 'the page of the control panel'),
      row('S1-30', 'The change is confirmed in the words of the control panel', 'the page of the control panel'),
      row('S1-31', 'The caution when warnings are switched off', 'the page of the control panel'),
      row('S1-32', 'A list member is warned of virus mail to the list even when switched off'),
      own(
        /^(warning-mail|warning-matrix|infected)\..* (warning|warns|warned|links)/,
        'Warnings: to parties only, null reverse-path, signed, one each, no loops',
      ),
      own(/^infected-flood\./, 'A flood of infected mail stops the account that sends it, and is no flood of warnings'),
    ],
  },
  {
    title: 'Sender authentication',
    requirements: [
      row('S2-02', "Own domains' SPF record can be published and checked"),
      row('S2-03', 'Forwarded mail: SRS and ARC'),
      row('S2-06', 'Inbound SPF is evaluated and recorded'),
      row('S2-08', 'Every mail sent is DKIM-signed'),
      row('S2-09', 'A forged address or any rewriting makes verification fail'),
      row('S2-10', 'Inbound DKIM is verified and recorded'),
      row('S2-11', 'Inbound DMARC gives the overall judgement'),
      row('S2-12', 'The DMARC result is recorded in the header, and told in plain words'),
      row('S2-13', 'Recorded only, unless a domain asks for enforcement; forged results are removed'),
      row(
        'S2-05 S2-07',
        'A page that explains how to read the results; lookalike domains are named',
        'the page in the control panel',
      ),
      own(/can not send as another/, 'An account sends only as addresses that are its own'),
    ],
  },
  {
    title: 'Operation',
    requirements: [
      own(
        /^(submission|inbound)\..* (once|twice|Bcc|unknown)/,
        'Mail between accounts and from outside: each maildrop gets one copy',
      ),
      own(
        /^(aliases|lists|forwarding|rewritten-sender)\./,
        'Aliases, catch-all, plus-addressing, postmaster, forwarding and lists, here and to outside: one copy a person',
      ),
      own(/^(outbound|returned-mail)\./, 'Mail to other servers: to the MX, retried, returned'),
      own(/^(killed-|drain)/, '250 means safe: what was accepted survives the end of any process'),
      own(/^dead-jobs\./, 'Jobs that were given up: listed, replayed, or dropped with an end in the trace'),
      own(/^content-sweep\./, 'The content store keeps what a mail needs, and nothing else'),
      own(/^large-mail/, 'Large mail, limits, many sessions'),
      own(
        /^(start-faults|restart|second-copy)\./,
        'npm start: beside another copy, again, after a kill, where it can not work',
      ),
      own(/^settings-api\./, 'Settings API: operators only, documented, where is my mail'),
      own(/^trace-id\.|OTLP/, 'One trace id from session to maildrop, nothing secret in logs'),
    ],
  },
]
