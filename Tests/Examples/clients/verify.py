import http.client
import socket
import sys


class Keyvigil(http.client.HTTPConnection):
    """A connection to the daemon. Keep it for the next request; one for each thread."""

    def __init__(self, path="/run/keyvigil/keyvigil.sock", timeout=5):
        super().__init__("keyvigil", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def verify(self, authorization, permission):
        """The status for the caller, and the id of the key. Whatever is not 200 is a refusal."""
        self.request("GET", f"/verify?permission={permission}", headers={"Authorization": authorization})
        answer = self.getresponse()
        answer.read()
        status = int(answer.headers.get("X-Keyvigil-Status", answer.status))
        return status, answer.headers.get("X-Keyvigil-Key-Id")


print(*Keyvigil().verify(sys.stdin.readline().strip(), "invoices:read"))
