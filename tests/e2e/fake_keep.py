#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A donjon-keep that only plays one: a test double for `--keep-program`.

Takes its part from the nonce of the ask, whose first bytes are text: a few
words that end in a full stop.  Without one it publishes at once, echoes on
each channel what the client sends, and stops when it is told to.

  slow        publishes after 0.5 s            mute       never publishes
  die         exits before publishing          exit       exits once attested
  stubborn    ignores `stop`                   refuse     ended: limit
  garbage     sends no JSON                    twice      publishes twice
  early       `closed` before publishing       ghost      `closed` of no channel
  large       a message over the limit         descriptor sends one along
  launch      sends what only donjond may      orphan     leaves a child behind
  full        evidence of 20 KB                crashy     dies on a channel
  half        closes a channel, unread input   silent     never reads a channel
  cued        publishes at SIGUSR1             lingers    exits at SIGUSR1
"""
import base64
import json
import os
import select
import signal
import socket
import sys
import time

control = socket.socket(fileno=3)


def send(**message):
    control.send(json.dumps(message).encode())


def publish(part):
    size = 20000 if "full" in part else 288
    send(type="published", software=True,
         claims=base64.b64encode(b"claims").decode(),
         evidence=base64.b64encode(bytes(size)).decode(),
         endorsements=base64.b64encode(b"root").decode(),
         certificate=base64.b64encode(b"cert").decode())


def await_cue():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    # Never called: whoever sends it sees by this that it may.
    signal.signal(signal.SIGUSR1, signal.default_int_handler)
    signal.sigwait({signal.SIGUSR1})


def ended(reason, kind="none", text=""):
    send(type="ended", reason=reason, kind=kind, text=text)
    sys.exit(0)


def before(part):
    """Until the evidence."""
    if "slow" in part:
        time.sleep(0.5)
    if "cued" in part:
        await_cue()
    if "mute" in part:
        return
    if "die" in part:
        sys.exit(3)
    if "refuse" in part:
        ended("failed", "limit", "launch: no memory for this Keep")
    if "garbage" in part:
        control.send(b"\x00\xff{")
    if "early" in part:
        send(type="closed", channel=1, bytes_in=0, bytes_out=0)
    if "large" in part:
        control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        control.send(b'"' + b"x" * (200 << 10) + b'"')
    if "launch" in part:
        send(type="stop")
    if "descriptor" in part:
        socket.send_fds(control, [b'{"type":"ended","reason":"done",'
                                  b'"kind":"none","text":""}'], [0])
    publish(part)
    if "twice" in part:
        publish(part)
    if "ghost" in part:
        send(type="closed", channel=99, bytes_in=0, bytes_out=0)
    if "orphan" in part and os.fork() == 0:
        control.close()
        time.sleep(600)
        os._exit(0)
    if "exit" in part:
        sys.exit(4)


class Channel:
    def __init__(self, number, fd):
        self.number, self.sock = number, socket.socket(fileno=fd)
        self.sock.setblocking(True)
        self.bytes_in = self.bytes_out = 0

    def pump(self):
        """False when it has ended."""
        data = self.sock.recv(65536)
        self.bytes_in += len(data)
        self.sock.sendall(data)
        self.bytes_out += len(data)
        return bool(data)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.sock.close()
        send(type="closed", channel=self.number, bytes_in=self.bytes_in,
             bytes_out=self.bytes_out)


def serve(part):
    channels = {}
    while True:
        wanted = [control] + ([] if "silent" in part else
                              [c.sock for c in channels.values()])
        for s in select.select(wanted, [], [])[0]:
            if s is not control:
                c = next(c for c in channels.values() if c.sock is s)
                try:
                    alive = c.pump()
                except OSError:
                    alive = False
                if not alive:
                    del channels[c.number]
                    c.close()
                continue
            data, fds, _, _ = socket.recv_fds(control, 200 << 10, 4)
            if not data:
                sys.exit(0)
            message = json.loads(data)
            if message["type"] == "stop":
                if "lingers" in part:
                    send(type="ended", reason="stopped", kind="none", text="")
                    await_cue()
                    sys.exit(0)
                if "stubborn" not in part:
                    ended("stopped")
            else:
                c = Channel(message["channel"], fds[0])
                if "crashy" in part:
                    os.kill(os.getpid(), signal.SIGSEGV)
                if "half" in part:
                    c.sock.sendall(b"last words")
                    c.close()
                else:
                    channels[c.number] = c


def main():
    launch = json.loads(control.recv(200 << 10))
    assert launch["type"] == "launch", launch
    nonce = bytes.fromhex(launch["nonce"])
    text = nonce.partition(b".")[0]
    part = text.decode().split() if b"." in nonce and text.isascii() else []
    before(part)
    serve(part)


main()
