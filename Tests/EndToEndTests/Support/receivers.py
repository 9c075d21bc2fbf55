#!/usr/bin/python3
"""A mail server (SMTP, port 2525) and a web server (port 2580) on loopback, which write down what they accept.

    receivers.py FOLDER

Each message is a line of FOLDER/accepted, a JSON object. While FOLDER/down exists, they answer that they cannot now.
"""

import email
import email.policy
import http.server
import json
import os
import sys
import threading

from aiosmtpd.controller import Controller

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
    async def handle_DATA(self, server, session, envelope):
        if is_down():
            refuse()
            return "451 not now"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        accept({"kind": "mail", "id": mail["Message-ID"], "to": envelope.rcpt_tos, "from": envelope.mail_from,
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


Controller(Mail(), hostname="127.0.0.1", port=2525).start()
http.server.ThreadingHTTPServer(("127.0.0.1", 2580), Web).serve_forever()
