"""Verifies every DKIM signature of the mail on standard input, by dkimpy: dkim_verify.py '{"DNS name": "TXT record"}'

Prints one line a signature: "pass" or "fail", selector, domain, algorithm.
"""
import json
import sys

import dkim

records = json.loads(sys.argv[1])


def look_up(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode()


mail = sys.stdin.buffer.read()
count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.rfc822_parse(mail)[0])
for index in range(count):
    verifier = dkim.DKIM(mail)
    try:
        is_valid = verifier.verify(idx=index, dnsfunc=look_up)
    except dkim.DKIMException as error:
        print(error, file=sys.stderr)
        is_valid = False
    tags = verifier.signature_fields
    print("pass" if is_valid else "fail", *(tags[tag].decode() for tag in (b"s", b"d", b"a")))
