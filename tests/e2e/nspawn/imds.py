"""Plays EC2's metadata service (IMDSv2) for one instance: imds.py USER-DATA-FILE HOSTNAME."""

import http.server
import sys

TOKEN = "e2e-session"
with open(sys.argv[1], "rb") as file:
    USER_DATA = file.read()
HOSTNAME = sys.argv[2]
IDENTITY = b'{"instanceId": "i-0123456789abcdef0", "region": "eu-central-1", "availabilityZone": "eu-central-1a"}'
METADATA = {
    "instance-id": "i-0123456789abcdef0",
    "local-hostname": HOSTNAME,
    "hostname": HOSTNAME,
    "local-ipv4": "10.99.0.1",
    "placement/availability-zone": "eu-central-1a",
    "placement/region": "eu-central-1",
}


class Service(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self.answer(200 if self.path == "/latest/api/token" and ttl else 400, TOKEN.encode())

    def do_GET(self):
        # In a container cloud-init sees no AWS, and so does not ask for a session token: it gets its answers all the same.
        is_ours = self.headers.get("User-Agent", "").startswith("kubejoin/")
        if is_ours and self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            print("without token:", self.path, flush=True)
            return self.answer(401)
        _, _, path = self.path.lstrip("/").partition("/")  # behind the version
        if path == "user-data":
            return self.answer(200, USER_DATA)
        if path.startswith("dynamic/instance-identity/document"):
            return self.answer(200, IDENTITY)
        if path.rstrip("/") == "meta-data":
            return self.answer(200, "\n".join(sorted({key.split("/")[0] + "/" * ("/" in key) for key in METADATA})).encode())
        key = path.removeprefix("meta-data/")
        if key in METADATA:
            return self.answer(200, METADATA[key].encode())
        below = sorted(k.removeprefix(key.rstrip("/") + "/") for k in METADATA if k.startswith(key.rstrip("/") + "/"))
        return self.answer(200 if below else 404, "\n".join(below).encode())


server = http.server.ThreadingHTTPServer(("169.254.169.254", 80), Service)
print("listening", flush=True)
server.serve_forever()
