"""Chats with images, sent by a few clients beside the load; each answer tells what the upstream received.

One of the clients sends slowly. Every fourth image is new, the others were sent not long ago. The upstream has to
receive the body with the image's link in the store instead of its Base64, and nothing else changed; while the store is
away, the body as it was sent.
"""

import base64
import collections
import hashlib
import http.client
import os
import random
import re
import struct
import threading
import time
import zlib

CLIENTS = 4
SLOW_PIECE, SLOW_PAUSE = 16_384, 0.05
SMALLEST, LARGEST = 3_000, 200_000
REMEMBERED = 20
SUM_START, SUM_FACTOR, SUM_MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
NAMED = re.compile(rb'"nonce":"([^"]*)","sum":"([^"]*)","image":"([^"]*)"')
GOOD = ("link", "inline", "hit by outage")


def checksum(content):
    """FNV-1a, as c/sum.h has it."""
    value = SUM_START
    for byte in content:
        value = (value ^ byte) * SUM_FACTOR & SUM_MASK
    return b"%016x" % value


def picture(chance):
    """The bytes of a new PNG; what is drawn does not matter."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    noise = b"IDAT" + chance.randbytes(chance.randrange(SMALLEST, LARGEST))
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, noise, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def body_with(address, nonce):
    start = b'{"model":"picture","user":"nonce-%s","messages":[{"role":"user","content":[{"type":"image_url",' % nonce
    return start + b'"image_url":{"url":"%s"}},{"type":"text","text":"%s"}]}]}' % (address, nonce)


def judge(status, content, nonce, image, sent):
    """What a whole answer shows: `link` or `inline` when all is well."""
    if status != 200:
        return f"status {status}"
    named = NAMED.search(content)
    if not named:
        return "incomplete"
    seen_nonce, seen_sum, address = named.groups()
    if seen_nonce != nonce:
        return "foreign nonce"
    if address.startswith(b"data:"):
        return "inline" if seen_sum == checksum(sent) else "body changed"
    if hashlib.sha256(image).hexdigest().encode() not in address:
        return "link to another image"
    return "link" if seen_sum == checksum(body_with(address, nonce)) else "body changed"


def in_pieces(sent):
    """As over a slow uplink."""
    for at in range(0, len(sent), SLOW_PIECE):
        yield sent[at : at + SLOW_PIECE]
        time.sleep(SLOW_PAUSE)


class Pictures:
    """Clients that each send a request a second until they are told to stop."""

    def __init__(self, port, outages, seed):
        self.port, self.outages = port, outages
        self.results = collections.Counter()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        each = ((seed + n, n == 0) for n in range(CLIENTS))
        self.threads = [threading.Thread(target=self.send, args=arguments, daemon=True) for arguments in each]
        for thread in self.threads:
            thread.start()

    def stop(self):
        """Waits for what is under way; returns how many requests ended in which way."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return dict(self.results)

    def send(self, seed, is_slow):
        chance = random.Random(seed)
        recent = collections.deque([picture(chance)], REMEMBERED)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.stopping.wait(1):
            if chance.random() < 0.25:
                recent.append(picture(chance))
                image = recent[-1]
            else:
                image = chance.choice(recent)
            result = self.ask(connection, image, is_slow)
            with self.lock:
                self.results[result] += 1
        connection.close()

    def ask(self, connection, image, is_slow):
        """Sends one request and says how it ended."""
        nonce = os.urandom(8).hex().encode()
        sent = body_with(b"data:image/png;base64," + base64.b64encode(image), nonce)
        begun = time.monotonic()
        try:
            answer = post(connection, sent, nonce, is_slow)
            status, content = answer.status, answer.read()
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            is_cut = isinstance(error, http.client.IncompleteRead) and self.outages.since(begun)
            return "hit by outage" if is_cut else f"no answer: {type(error).__name__}"
        if status in (502, 503) and self.outages.since(begun):
            return "hit by outage"
        return judge(status, content, nonce, image, sent)


def post(connection, sent, nonce, is_slow):
    """As any client asks: a kept connection may be closed just as it is used again."""
    is_kept = connection.sock is not None
    head = {"Authorization": "Bearer sk-endurance", "Content-Type": "application/json"}
    head |= {"Content-Length": str(len(sent)), "x-nonce": nonce.decode()}
    while True:
        try:
            connection.request("POST", "/v1/chat/completions", in_pieces(sent) if is_slow else sent, head)
            return connection.getresponse()
        except ConnectionError:
            connection.close()
            if not is_kept:
                raise
            is_kept = False


def problems(results, store):
    """In words; `store` is what the store has seen."""
    found = [f"{count} × {name} of requests with images" for name, count in results.items() if name not in GOOD]
    if not results.get("link"):
        found.append("no image came to the upstream as a link")
    if store["misnamed"]:
        found.append(f"{store['misnamed']} images were stored under another one's name")
    return found
