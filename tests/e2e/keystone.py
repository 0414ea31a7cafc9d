"""Plays OpenStack's identity service as far as `packer validate` goes: one token, a catalogue of four services."""

import http.server
import json


class Identity(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        base = f"http://{self.headers['Host']}/"
        catalog = [
            {"type": kind, "name": kind, "id": kind, "endpoints": [{"id": kind, "interface": "public", "region": "e2e", "region_id": "e2e", "url": base + kind}]}
            for kind in ("compute", "image", "network", "volumev3")
        ]
        user = {"id": "e2e", "name": "e2e", "domain": {"id": "default", "name": "default"}}
        token = {"token": {"methods": ["password"], "expires_at": "2099-01-01T00:00:00.000000Z", "catalog": catalog, "user": user}}
        body = json.dumps(token).encode()
        self.send_response(201)
        self.send_header("X-Subject-Token", "e2e")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.HTTPServer(("127.0.0.1", 0), Identity)
print("port", server.server_address[1], flush=True)
server.serve_forever()
