"""Signs the mail on standard input, by dkimpy: dkim_sign.py SELECTOR DOMAIN KEY (PEM)"""
import sys

import dkim

selector, domain, key = sys.argv[1:]
mail = sys.stdin.buffer.read()
signature = dkim.sign(mail, selector.encode(), domain.encode(), key.encode(), include_headers=[b"from", b"to", b"subject"])
sys.stdout.buffer.write(signature + mail)
