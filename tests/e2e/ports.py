# SPDX-License-Identifier: Apache-2.0
"""Ports on loopback for those that tests start."""
import socket

HELD = []


def free_port():
    """One that nobody has, and nobody gets while this process lives: it stays
    bound here.  Linux lets who asks for it by its number listen on it all the
    same, with SO_REUSEADDR, as servers do; to connect there is refused."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    HELD.append(s)
    return s.getsockname()[1]
