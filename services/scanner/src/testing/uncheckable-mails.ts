// Mails that can't be looked into: encrypted for their readers, or pieces of others.
import { attachedText, BASE64 } from './attached.ts'
import { HEAD, type Sample, sample } from './sample.ts'
import { enveloped } from './wrappings.ts'

export function uncheckableMails(): Sample[] {
  const inner = attachedText('a harmless file')
  return [
    sample('an encrypted mail (PGP)', [
      ...HEAD,
      'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=foo',
      '',
      '--foo',
      'Content-Type: application/pgp-encrypted',
      '',
      'Version: 1',
      '--foo',
      'Content-Type: application/octet-stream',
      '',
      '-----BEGIN PGP MESSAGE-----',
      '',
      'hQEMA0',
      '-----END PGP MESSAGE-----',
      '--foo--',
      '',
    ]),
    ...['application/pkcs7-mime; smime-type=enveloped-data', 'application/x-pkcs7-mime; name=smime.p7m'].map((type) =>
      sample(`an encrypted mail (S/MIME), ${type}`, [
        ...HEAD,
        `Content-Type: ${type}`,
        BASE64,
        '',
        enveloped().toString('base64'),
      ]),
    ),
    ...[1, 2].map((number) =>
      sample(`a piece of a mail, number ${number}`, [
        ...HEAD,
        `Content-Type: message/partial; id="x@y"; number=${number}; total=2`,
        '',
        inner,
      ]),
    ),
  ]
}
