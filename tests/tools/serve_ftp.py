#!/usr/bin/env python3
"""An FTP server (RFC 959) on the loopback interface: anonymous, reading only, passive transfers.

    from serve_ftp import FtpServer

    with FtpServer("/tmp/x/archive") as server:
        server.url               # "ftp://127.0.0.1:40123"
        server.retrieved         # paths that were sent, in order
        server.restarts          # offsets that REST named, in order
        server.truncate["*.deb"] = 100   # the next such file breaks off after that many bytes, once

It knows what libcurl and apt ask for: USER PASS PWD CWD EPSV PASV TYPE SIZE MDTM REST RETR QUIT.
"""

import fnmatch
import pathlib
import socket
import socketserver
import threading
import time


class Session(socketserver.StreamRequestHandler):
    def reply(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.folder, self.listening, self.offset = pathlib.PurePosixPath("/"), None, 0
        self.reply("220 test archive")
        try:
            for line in self.rfile:
                verb, _, argument = line.decode().strip().partition(" ")
                if verb.upper() == "QUIT":
                    self.reply("221 bye")
                    return
                getattr(self, f"do_{verb.lower()}", self.unknown)(argument)
        except ConnectionError:   # the client went away
            pass
        finally:
            if self.listening:
                self.listening.close()

    def unknown(self, _):
        self.reply("502 not implemented")

    def do_user(self, _):
        self.reply("331 any password")

    def do_pass(self, _):
        self.reply("230 logged in")

    def do_pwd(self, _):
        self.reply(f'257 "{self.folder}"')

    def do_type(self, _):
        self.reply("200 binary it is")

    def target(self, name):
        path = (self.server.directory / str(self.folder / name).lstrip("/")).resolve()
        inside = path == self.server.directory or self.server.directory in path.parents
        return path if inside else self.server.directory / "no such file"

    def do_cwd(self, name):
        if self.target(name).is_dir():
            self.folder = self.folder / name
            self.reply("250 changed")
        else:
            self.reply("550 no such directory")

    def listen(self):
        if self.listening:
            self.listening.close()
        self.listening = socket.create_server(("127.0.0.1", 0))
        return self.listening.getsockname()[1]

    def do_epsv(self, _):
        self.reply(f"229 entering extended passive mode (|||{self.listen()}|)")

    def do_pasv(self, _):
        port = self.listen()
        self.reply(f"227 entering passive mode (127,0,0,1,{port >> 8},{port & 255})")

    def do_size(self, name):
        target = self.target(name)
        self.reply(f"213 {target.stat().st_size}" if target.is_file() else "550 no such file")

    def do_mdtm(self, name):
        target = self.target(name)
        if target.is_file():
            self.reply(time.strftime("213 %Y%m%d%H%M%S", time.gmtime(target.stat().st_mtime)))
        else:
            self.reply("550 no such file")

    def do_rest(self, offset):
        self.offset = int(offset)
        self.server.restarts.append(self.offset)
        self.reply("350 from there")

    def do_retr(self, name):
        target, offset, self.offset = self.target(name), self.offset, 0
        if not target.is_file() or not self.listening:
            self.reply("550 no such file")
            return
        path = f"/{target.relative_to(self.server.directory)}"
        data, limit = target.read_bytes()[offset:], self.server.take_limit(path)
        self.reply("150 here it comes")
        connection, _ = self.listening.accept()
        with connection:
            connection.sendall(data[:limit])
        self.server.retrieved.append(path)
        self.reply("226 complete" if limit is None else "426 broken off")


class FtpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.retrieved, self.restarts, self.truncate = [], [], {}
        super().__init__(("127.0.0.1", 0), Session)
        self.url = f"ftp://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def take_limit(self, path):
        pattern = next((pattern for pattern in self.truncate if fnmatch.fnmatchcase(path, pattern)), None)
        return None if pattern is None else self.truncate.pop(pattern)

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
