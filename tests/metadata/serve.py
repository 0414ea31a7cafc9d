#!/usr/bin/env python3
"""Plays a recorded metadata service at its real addresses, port 80: serve.py FOLDER [ADDRESS…]; says "ready" when it listens.

FOLDER/routes.json: "bind" has the addresses (or those given as arguments), "routes" what is answered to whom:
  request         "GET /path?query", exact
  headers         what the request must carry; else 401
  privilegedPort  the client's port must be below 1024; else 403
  body or file    the answer; status (200), answer (headers)
Anything else is 404, and a request that came through a proxy 403.
"""

import http.server
import json
import pathlib
import socket
import sys
import threading

folder = pathlib.Path(sys.argv[1])
recorded = json.loads((folder / "routes.json").read_text())
routes = {route["request"]: route for route in recorded["routes"]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        route = routes.get(f"{self.command} {self.path}")
        status, body, headers = 404, b"", {}
        if self.headers.get("X-Forwarded-For") or self.headers.get("Via"):
            status = 403
        elif route is None:
            pass
        elif any(self.headers.get(name) != value for name, value in route.get("headers", {}).items()):
            status = 401
        elif route.get("privilegedPort") and self.client_address[1] >= 1024:
            status = 403
        else:
            status, headers = route.get("status", 200), route.get("answer", {})
            body = (folder / route["file"]).read_bytes() if "file" in route else route["body"].encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = reply

    def log_message(self, form, *arguments):
        print(f"{self.client_address[0]}: {form % arguments}", file=sys.stderr, flush=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address):
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 80), Handler)


servers = [Server(address) for address in sys.argv[2:] or recorded["bind"]]
print("ready", flush=True)
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
