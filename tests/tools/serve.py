#!/usr/bin/env python3
"""An HTTP/1.1 server on the loopback interface that can be told to misbehave.

In a test:

    from serve import ArchiveServer, Fault

    with ArchiveServer("/tmp/x/archive") as server:          # an ephemeral port, a thread per connection
    # ArchiveServer("/tmp/x/archive", ("server.pem", "server.key")) is https://localhost:PORT
        server.url                                           # "http://127.0.0.1:40123"
        server.faults["/dists/bookworm/InRelease"] = Fault(status=503, times=2, retry_after=1)
        server.faults["*.deb"] = Fault(corrupt=True)         # shell patterns work; the first that matches counts
        ...
        server.requests                                      # [Request(path, headers, connection), ...] in order
        server.count("*.deb")                                # how often such paths were asked for
        server.connections                                   # how many TCP connections were made

What a Fault does (combinations are fine):

    status=404        answer with this status and no file       retry_after=2   add that header, in seconds
    times=1           only for the first N requests, then well  delay=0.5       wait before answering, in seconds
    truncate=100      break the connection after that many bytes of the body, with the full Content-Length
    corrupt=True      flip one bit in the middle of the body    endless=True    a body without end, and no length
    redirect=URL      302 with that Location                    hang=True       take the request, never answer
    pace=1000         at most that many bytes a second          body=b"..."     this instead of the file
    ranges=False      send the whole file to who asks for a part of it
    echo="user-agent" that header of the request as the body

On the command line (prints the URL, serves until standard input ends):

    serve.py DIRECTORY [--fault PATTERN JSON]...      serve.py . --fault '*.deb' '{"status": 503, "times": 1}'
"""

import argparse
import dataclasses
import fnmatch
import hashlib
import http.server
import json
import pathlib
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse
from typing import Optional


@dataclasses.dataclass
class Fault:
    status: int = 0
    times: Optional[int] = None
    retry_after: Optional[int] = None
    delay: float = 0
    truncate: Optional[int] = None
    corrupt: bool = False
    endless: bool = False
    redirect: str = ""
    hang: bool = False
    pace: int = 0
    body: Optional[bytes] = None
    echo: str = ""
    ranges: bool = True


@dataclasses.dataclass
class Request:
    path: str
    headers: dict
    connection: int


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urllib.parse.unquote(self.path.split("?", 1)[0])
        fault = self.server.take_fault(path, Request(path, dict(self.headers), self.client_address[1]))
        if not self.server.wait(fault.delay):
            return
        if fault.hang:
            self.server.stopping.wait()
            self.close_connection = True
        elif fault.redirect:
            self.answer(302, b"", {"Location": fault.redirect})
        elif fault.status:
            more = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            self.answer(fault.status, b"an error, as asked for\n", more)
        elif fault.endless:
            self.send_endless()
        elif fault.echo:
            self.answer(200, self.headers.get(fault.echo, "").encode(), {})
        else:
            self.send_file(path, fault)

    def answer(self, status, body, headers, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length != "no length":
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def send_endless(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while not self.server.stopping.is_set():
            self.wfile.write(b"x" * 65536)

    def send_file(self, path, fault):
        body = fault.body if fault.body is not None else self.server.read(path)
        if body is None:
            self.answer(404, b"no such file\n", {})
            return
        if fault.corrupt and body:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1:]
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        status, headers = 200, {"ETag": tag}
        if self.headers.get("If-None-Match") == tag:
            self.answer(304, b"", headers, "no length")
            return
        asked = self.headers.get("Range", "")
        if asked and fault.ranges and self.headers.get("If-Range", tag) == tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                self.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
                return
            status, headers["Content-Range"] = 206, f"bytes {start}-{len(body) - 1}/{len(body)}"
            body = body[start:]
        length = len(body)
        if fault.truncate is not None:
            body = body[:fault.truncate]
            self.close_connection = True
        if not fault.pace:
            self.answer(status, body, headers, length)
            return
        self.answer(status, b"", headers, length)
        for start in range(0, len(body), max(1, fault.pace // 20)):
            self.wfile.write(body[start:start + max(1, fault.pace // 20)])
            self.wfile.flush()
            if not self.server.wait(0.05):
                break

    def handle(self):
        self.server.connected()
        try:
            super().handle()
        except ConnectionError:   # the client went away: what many tests are about
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except ConnectionError:
            pass


class ArchiveServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, directory, certificate=None):
        self.directory = pathlib.Path(directory).resolve()
        self.faults, self.requests, self.connections = {}, [], 0
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)
        self.tls = None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
            self.url = f"https://localhost:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def connected(self):
        with self.lock:
            self.connections += 1

    def take_fault(self, path, request):
        with self.lock:
            self.requests.append(request)
            for pattern, fault in self.faults.items():
                if fnmatch.fnmatchcase(path, pattern) and fault.times != 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return dataclasses.replace(fault)
        return Fault()

    def wait(self, seconds):
        """False when the server is being closed."""
        return not (seconds and self.stopping.wait(seconds))

    def read(self, path):
        target = (self.directory / path.lstrip("/")).resolve()
        if self.directory not in target.parents or not target.is_file():
            return None
        return target.read_bytes()

    def count(self, pattern):
        with self.lock:
            return sum(fnmatch.fnmatchcase(request.path, pattern) for request in self.requests)

    def finish_request(self, request, client_address):
        if not self.tls:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as secured:  # in the connection's own thread
            super().finish_request(secured, client_address)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):  # refusing is what clients do here
            super().handle_error(request, client_address)

    def close(self):
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    parser = argparse.ArgumentParser(description="Serve a directory on the loopback interface, with faults.")
    parser.add_argument("directory")
    parser.add_argument("--fault", nargs=2, action="append", default=[], metavar=("PATTERN", "JSON"))
    parser.add_argument("--log", help="write one line a request to this file when the serving ends")
    options = parser.parse_args()
    with ArchiveServer(options.directory) as server:
        for pattern, text in options.fault:
            fields = json.loads(text)
            if "body" in fields:
                fields["body"] = fields["body"].encode()
            server.faults[pattern] = Fault(**fields)
        print(server.url, flush=True)
        sys.stdin.read()
        if options.log:
            lines = [" ".join([str(request.connection), request.path, *filter(None, [request.headers.get("Range")])]) + "\n"
                     for request in server.requests]
            pathlib.Path(options.log).write_text("".join(lines))


if __name__ == "__main__":
    main()
