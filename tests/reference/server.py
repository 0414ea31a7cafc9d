#!/usr/bin/env python3
"""Serves a folder over HTTPS or HTTP, and answers that a good server would not give.

server.py PORT FOLDER [CERTIFICATE KEY]

/status/404 answers with that status; /redirect/URL sends there; /big is endless; /slow never answers. A line a request in FOLDER.log.
"""
import http.server
import ssl
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open(sys.argv[2] + ".log", "a", encoding="utf-8") as log:
            print(self.command, self.path, "authorized" if self.headers.get("Authorization") else "anonymous", file=log)
        path = self.path.split("?")[0]
        if path.startswith("/status/"):
            self.answer(int(path.split("/")[2]), b"<html>no kubeconfig</html>")
        elif path.startswith("/redirect/"):
            self.answer(302, b"", {"Location": path[len("/redirect/"):]})
        elif path == "/big":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"#" * 65536)
            except OSError:
                pass
        elif path == "/slow":
            time.sleep(60)
        else:
            try:
                with open(sys.argv[2] + path, "rb") as file:
                    self.answer(200, file.read())
            except OSError:
                self.answer(404, b"not found")

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print("ready", flush=True)
server.serve_forever()
