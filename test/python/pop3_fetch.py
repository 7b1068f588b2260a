"""Prints every mail of a maildrop, base64 a line, by poplib: pop3_fetch.py stls|ssl HOST PORT CA USER PASSWORD"""
import base64
import poplib
import ssl
import sys

mode, host, port, ca, user, password = sys.argv[1:]
poplib._MAXLINE = 1 << 16  # the library takes lines of up to 2048 octets only
context = ssl.create_default_context(cafile=ca)
if mode == "ssl":
    client = poplib.POP3_SSL(host, int(port), context=context)
else:
    client = poplib.POP3(host, int(port))
    client.stls(context=context)
client.user(user)
client.pass_(password)
count, _ = client.stat()
for number in range(1, count + 1):
    lines = client.retr(number)[1]
    print(base64.b64encode(b"".join(line + b"\r\n" for line in lines)).decode())
client.quit()
