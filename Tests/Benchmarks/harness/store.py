"""An S3 store that forgets: it checks that each object is named by its digest, and keeps nothing but the names.

    python store.py PORT

GET /stats tells what it has seen, as JSON; so does its standard output when SIGTERM ends it, at once. Signatures are
not checked: the integration tests do that with real stores.
"""

import hashlib
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

names = set()
seen = {"stored": 0, "stored_again": 0, "misnamed": 0, "asked_for": 0}
lock = threading.Lock()


def note_object(name, content):
    digest = name.rsplit("/", 1)[-1].split(".")[0]
    with lock:
        seen["misnamed"] += digest != hashlib.sha256(content).hexdigest()
        seen["stored_again" if name in names else "stored"] += 1
        names.add(name)


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, status, content=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_PUT(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = urlsplit(self.path).path
        if name.strip("/").count("/"):
            note_object(name, content)
        self.answer(200)

    def do_HEAD(self):
        name = urlsplit(self.path).path
        with lock:
            seen["asked_for"] += 1
            is_known = name in names or not name.strip("/").count("/")
        self.answer(200 if is_known else 404)

    def do_GET(self):
        self.answer(200, json.dumps(seen).encode())

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def end(*_):
    os.write(1, json.dumps(seen).encode() + b"\n")
    os._exit(0)


def main(port):
    signal.signal(signal.SIGTERM, end)
    Server(("127.0.0.1", port), Store).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
