#!/usr/bin/python3
"""A mail server (SMTP, port 2525) and a web server (port 2580) on loopback, which write down what they accept.

    receivers.py FOLDER

Each message is a line of FOLDER/accepted, a JSON object. While FOLDER/down exists, they answer that they cannot now.

With FOLDER/trusted.pem and FOLDER/stranger.pem, each a certificate and its key, there are also mail servers that want a password:
port 2465 (TLS), 2587 (STARTTLS), both with the first, and 2466 (TLS) with the second. FOLDER/logins gets a line for each password.
"""

import asyncio
import email
import email.policy
import http.server
import json
import os
import ssl
import sys
import threading

from aiosmtpd.controller import Controller, UnthreadedController
from aiosmtpd.smtp import AuthResult

FOLDER = sys.argv[1]
LOCK = threading.Lock()


def is_down():
    return os.path.exists(os.path.join(FOLDER, "down"))


def accept(record):
    with LOCK, open(os.path.join(FOLDER, "accepted"), "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def refuse():
    with LOCK, open(os.path.join(FOLDER, "refused"), "a", encoding="utf-8") as file:
        file.write("x\n")


class Mail:
    def __init__(self, kind="mail"):
        self.kind = kind

    async def handle_DATA(self, server, session, envelope):
        if is_down():
            refuse()
            return "451 not now"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        accept({"kind": self.kind, "id": mail["Message-ID"], "to": envelope.rcpt_tos, "from": envelope.mail_from,
                "title": mail["Subject"], "auto": mail["Auto-Submitted"], "text": mail.get_content()})
        return "250 accepted"


class Web(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = 503 if is_down() else 200
        if status == 200:
            accept({"kind": self.path.split("/")[1], "method": self.command, "path": self.path, "text": body,
                    "id": self.headers["Idempotency-Key"], "headers": dict(self.headers)})
        else:
            refuse()
        self.send_response(status)
        self.end_headers()

    do_POST = do_PUT = answer

    def log_message(self, *arguments):
        pass


def authenticate(kind):
    def check(server, session, envelope, mechanism, data):
        with LOCK, open(os.path.join(FOLDER, "logins"), "a", encoding="utf-8") as file:
            file.write(f"{kind}\n")
        return AuthResult(success=(data.login, data.password) == (b"keyvigil", b"t0ken5up3rs3cret"), handled=False)
    return check


def serve_encrypted(kind, port, certificate, is_late):
    path = os.path.join(FOLDER, certificate)
    if not os.path.exists(path):
        return
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    tls = {"tls_context": context, "require_starttls": True} if is_late else {"ssl_context": context, "auth_require_tls": False}
    options = {"authenticator": authenticate(kind), "auth_required": True} | tls
    loop = asyncio.new_event_loop()
    UnthreadedController(Mail(kind), hostname="127.0.0.1", port=port, loop=loop, **options).begin()
    threading.Thread(target=loop.run_forever, daemon=True).start()


Controller(Mail(), hostname="127.0.0.1", port=2525).start()
serve_encrypted("smtps", 2465, "trusted.pem", is_late=False)
serve_encrypted("starttls", 2587, "trusted.pem", is_late=True)
serve_encrypted("stranger", 2466, "stranger.pem", is_late=False)
http.server.ThreadingHTTPServer(("127.0.0.1", 2580), Web).serve_forever()
