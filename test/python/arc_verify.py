"""Verifies the ARC chain of the mail on standard input, by dkimpy: arc_verify.py '{"DNS name": "TXT record"}'

Prints the chain's status: "pass", "fail" or "none".
"""
import json
import sys

import dkim

records = json.loads(sys.argv[1])


def look_up(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode()


status, _, reason = dkim.arc_verify(sys.stdin.buffer.read(), dnsfunc=look_up)
print(reason, file=sys.stderr)
print(status.decode() if status else "none")
