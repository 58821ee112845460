#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client.py HOST PORT KEY NAME: a guest of the chat room.

KEY is the SHA-256 (hexadecimal) of the public key of the Keep, as it was
verified: README.md.  Lines of the standard input are said; what others say is
printed.
"""
import base64
import hashlib
import os
import select
import socket
import ssl
import subprocess
import sys


def key_hash(der):
    """Of a certificate's SubjectPublicKeyInfo."""
    pem = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout",
                          "-pubkey"], input=der, capture_output=True,
                         check=True).stdout
    spki = base64.b64decode("".join(pem.decode().splitlines()[1:-1]))
    return hashlib.sha256(spki).hexdigest()


def connect(host, port, key):
    terms = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    terms.minimum_version = ssl.TLSVersion.TLSv1_3
    terms.check_hostname = False
    terms.verify_mode = ssl.CERT_NONE  # the key is what is verified
    s = terms.wrap_socket(socket.create_connection((host, port)))
    if key_hash(s.getpeercert(binary_form=True)) != key.lower():
        sys.exit("this is not the Keep that was verified")
    return s


def main():
    host, port, key, name = sys.argv[1:5]
    s = connect(host, int(port), key)
    s.sendall(name.encode() + b"\n")

    while True:
        # What TLS has read already, select does not see.
        ready = s.pending() and [s] or select.select([s, 0], [], [])[0]
        if s in ready:
            s.setblocking(False)
            try:
                data = s.recv(4096)
            except ssl.SSLWantReadError:
                continue  # a record of TLS's own
            finally:
                s.setblocking(True)
            if not data:
                return
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        elif 0 in ready:
            said = os.read(0, 4096)
            if not said:
                break
            s.sendall(said)
    try:
        s.unwrap()
    except ssl.SSLError:
        pass  # others were still talking


main()
