"""Sends standard input by smtplib: smtp_send.py starttls|ssl HOST PORT CA USER PASSWORD FROM TO; USER may be empty"""
import smtplib
import ssl
import sys

mode, host, port, ca, user, password, mail_from, recipient = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if mode == "ssl":
    client = smtplib.SMTP_SSL(host, int(port), context=context)
else:
    client = smtplib.SMTP(host, int(port))
    client.starttls(context=context)
with client:
    if user:
        client.login(user, password)
    client.sendmail(mail_from, [recipient], sys.stdin.buffer.read())
