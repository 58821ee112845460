# SPDX-License-Identifier: Apache-2.0
"""A host agent that lies.

Stands on a Unix socket between `donjon` and a true agent.  Passes everything
on, except what a test told it to change: `ask` rewrites a `POST /v1/keeps`,
`alter` the answer to it, `channel` takes over an upgraded connection.  Keeps
what crossed the channels, both ways, and counts how many were opened.
"""
import base64
import json
import socket
import threading

from conftest import UnixConnection


def call(path, method, target, body=None):
    """One request to a true agent: status and decoded JSON (or None)."""
    c = UnixConnection(path)
    try:
        data = json.dumps(body) if body is not None else None
        c.request(method, target, data,
                  {"Content-Type": "application/json"} if data else {})
        r = c.getresponse()
        text = r.read()
        return r.status, json.loads(text) if text else None
    finally:
        c.close()


def upgrade(path, keep):
    """An open channel to a Keep of a true agent, past the HTTP answer."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(path)
    s.sendall(f"GET /v1/keeps/{keep}/channel HTTP/1.1\r\nHost: x\r\n"
              "Connection: Upgrade\r\nUpgrade: donjon-keep/1\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        more = s.recv(1)
        if not more:
            raise EOFError(head.decode("latin-1"))
        head += more
    if not head.startswith(b"HTTP/1.1 101"):
        raise ValueError(head.decode("latin-1"))
    return s, head


class EvilAgent:
    def __init__(self, path, true_path, alter=None, channel=None, ask=None):
        self.path, self.true = path, true_path
        self.alter, self.channel, self.ask = alter, channel, ask
        self.asks, self.answers, self.ids = [], [], []
        self.channels, self.sent, self.received = 0, bytearray(), bytearray()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(16)
        self.threads = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.server.close()
        for keep in self.ids:
            try:
                call(self.true, "DELETE", f"/v1/keeps/{keep}")
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while True:
            try:
                s, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(s,),
                             daemon=True).start()

    @staticmethod
    def _request(s):
        head = b""
        while b"\r\n\r\n" not in head:
            more = s.recv(1)
            if not more:
                return None
            head += more
        length = 0
        for line in head.decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        body = b""
        while len(body) < length:
            more = s.recv(length - len(body))
            if not more:
                return None
            body += more
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        return method, target, body

    def _serve(self, s):
        with s:
            s.settimeout(60)
            while True:
                try:
                    request = self._request(s)
                except OSError:
                    return
                if request is None:
                    return
                method, target, body = request
                if target.endswith("/channel"):
                    self._channel(s, target.split("/")[-2])
                    return
                sent = json.loads(body) if body else None
                if method == "POST" and self.ask:
                    sent = self.ask(sent)
                status, answer = call(self.true, method, target, sent)
                if method == "POST" and status == 201:
                    self.ids.append(answer["id"])
                    self.asks.append(json.loads(body))
                    self.answers.append(dict(answer))
                    if self.alter:
                        answer = self.alter(self, answer)
                text = b"" if answer is None else json.dumps(answer).encode()
                s.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: "
                          f"application/json\r\nContent-Length: {len(text)}"
                          "\r\n\r\n".encode() + text)

    def _channel(self, s, keep):
        self.channels += 1
        if self.channel:
            s.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                      b"Connection: Upgrade\r\nUpgrade: donjon-keep/1\r\n\r\n")
            self.channel(self, s, keep)
            return
        true, head = upgrade(self.true, keep)
        s.sendall(head)
        true.settimeout(None)
        s.settimeout(None)
        back = threading.Thread(target=self._copy,
                                args=(true, s, self.received), daemon=True)
        back.start()
        self._copy(s, true, self.sent)
        back.join(60)

    @staticmethod
    def _copy(a, b, record):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                record += data
                b.sendall(data)
        except OSError:
            pass
        for s, how in ((b, socket.SHUT_WR), (a, socket.SHUT_RD)):
            try:
                s.shutdown(how)
            except OSError:
                pass


def flip(text, at):
    """A base64 text with one bit changed, `at` bytes from its start (or
    end, when negative)."""
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return base64.b64encode(bytes(data)).decode()
