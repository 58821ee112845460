# SPDX-License-Identifier: Apache-2.0
"""Ports on loopback for those that tests start."""
import contextlib
import random
import socket


def free_port():
    """One that nobody has now, and that Linux gives to nobody who does not ask
    for it: so it stays free."""
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as f:
        first = int(f.read().split()[0])
    while True:
        port = random.randrange(1024, first)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port
