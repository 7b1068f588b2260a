// What the edge has found out about a mail's sender while it was there, for the stage that records it: the fields of
// packages/authentication's Findings.
import Type from 'typebox'

const optional = Type.Optional(Type.String())
const Spf = Type.Object({
  result: Type.Enum(['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror']),
  domain: Type.String(),
  line: Type.String(),
})

export const Verified = Type.Object({
  spf: Type.Optional(Spf),
  helo: Type.Optional(Spf),
  dkim: Type.Array(
    Type.Object({
      result: Type.Enum(['none', 'pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror']),
      domain: optional,
      selector: optional,
      line: Type.String(),
    }),
  ),
  dmarc: Type.Object({
    result: Type.Enum(['none', 'pass', 'fail', 'temperror', 'permerror']),
    headerFrom: optional,
    policy: Type.Enum(['none', 'quarantine', 'reject']),
    aligned: Type.Optional(Type.Object({ spf: Type.Boolean(), dkim: Type.Boolean() })),
    published: Type.Optional(
      Type.Object({
        domain: Type.String(),
        p: Type.String(),
        sp: Type.String(),
        np: optional,
        adkim: Type.Enum(['r', 's']),
        aspf: Type.Enum(['r', 's']),
        fo: optional,
        testing: Type.Enum(['y', 'n']),
        rua: Type.String(),
      }),
    ),
    line: Type.String(),
  }),
  arc: Type.Optional(
    Type.Object({ result: Type.Enum(['none', 'pass', 'fail']), sets: Type.Integer(), line: Type.String() }),
  ),
  receivedSpf: optional,
})
