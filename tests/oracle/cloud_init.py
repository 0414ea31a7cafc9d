"""cloud-init and kubejoin, given the same: what each makes of it. Run by cloud-init.sh, which sets PYTHONPATH."""
import base64
import contextlib
import gzip
import io
import json
import os
import re
import subprocess
import sys

import yaml
from cloudinit import helpers, user_data
from cloudinit.cmd.main import main as cloudinit_main
from cloudinit.distros import fetch
from cloudinit.sources import DataSourceNoCloud

KUBEJOIN, WORK, VERSION = sys.argv[1:4]
PIN = "sha256:8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4"
passed = failed = 0


def verdict(name, fine, why=""):
    global passed, failed
    passed += bool(fine)
    failed += not fine
    if not fine:
        print(f"FAIL  {name}: {why}")


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, **options)


def cloud_init(*argv):
    """The command line, without a new interpreter for each."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cloudinit_main(["cloud-init", *argv])
        except SystemExit as end:
            status = end.code
    return subprocess.CompletedProcess(argv, status or 0, out.getvalue(), err.getvalue())


def write(name, text):
    path = os.path.join(WORK, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(text, bytes) else "w") as file:
        file.write(text)
    return path


# ---- NoCloud: one seed, two readers ---------------------------------------------------------------------------------
META_DATA = """\
instance-id: i-0abc
local-hostname: worker-7.example.com
zone: z1
rack-name: r1
tags: {rack: r1, "a-b": c}
list: [x, y]
number: 5
truth: true
fraction: 1.5
nothing:
"""
SEED = os.path.dirname(write("cloud/seed/nocloud/meta-data", META_DATA))
write("cloud/seed/nocloud/user-data", "#cloud-config\n{}\n")
paths = helpers.Paths({"cloud_dir": WORK + "/cloud", "run_dir": WORK + "/run"})
os.makedirs(WORK + "/run")
source = DataSourceNoCloud.DataSourceNoCloud(
    {"datasource": {"NoCloud": {"fs_label": None}}}, fetch("debian")("debian", {}, paths), paths)
assert source.get_data()
INSTANCE_DATA = paths.get_runpath("instance_data_sensitive")

ours = json.loads(run(KUBEJOIN, "query", "--source", "nocloud:" + SEED, "-o", "json").stdout)["metadata"]
for name, value in ours.items():
    if not name.startswith(("v1.", "ds.meta_data.")):
        continue
    theirs = cloud_init("query", "-i", INSTANCE_DATA, "-u", os.devnull, "-v", os.devnull, "-f", "{{ " + re.sub(r"\.(\d+)", r"[\1]", name) + " }}")
    said = theirs.stdout.rstrip("\n")
    # Jinja writes a truth as Python does, True; it becomes a label or an argument, where true is meant.
    verdict(f"query {name}", value == (said.lower() if said in ("True", "False") else said) or (name == "v1.cloud_name" and said == "unknown"), f"{value!r}, cloud-init: {said!r} {theirs.stderr}")
for name in ("v1.instance_id", "v1.local_hostname", "ds.meta_data.zone", "ds.meta_data.rack_name", "ds.meta_data.tags.rack"):
    verdict(f"query has {name}", name in ours, sorted(ours))

# ---- Templates: the same text, the same value -----------------------------------------------------------------------
ROWS = [
    "{{ v1.local_hostname }}", "{{v1.instance_id}}", "{{ instance_id }}", "{{ local_hostname }}",
    "{{ ds.meta_data.local_hostname }}", "{{ ds.meta_data.zone }}", "{{ ds.meta_data['zone'] }}", '{{ ds["meta_data"]["zone"] }}',
    "{{ ds.meta_data.rack_name }}", "{{ ds.meta_data['rack-name'] }}", "{{ ds.meta_data.tags.rack }}", "{{ ds.meta_data.tags.a_b }}", "{{ ds.meta_data.list[1] }}",
    "{{ ds.meta_data.number }}", "a-{{ v1.instance_id }}-b", "{{ v1.instance_id }}{{ ds.meta_data.zone }}",
    "{{ ds.meta_data.local_hostname.split('.')[0] }}", "{{ ds.meta_data.local_hostname.split('.')[1] }}",
    "{{ nowhere | default('x') }}", "{{ v1.nowhere|default('none') }}", "{{ v1.instance_id | default('x') }}", '{{ nowhere | default("") }}y',
    "{# gone #}kept", "{% raw %}{{ kept }}{% endraw %}", "plain", "{ { } }", "a {{ '{{' }}"[:1],
]
# Where the two differ, and why. cloud-init renders what it does not know as text, which would become a node's name.
DIFFERENT = {
    "{{ nowhere }}": "jinja.unknown-name",
    "{{ v1.nowhere }}": "jinja.unknown-name",
    "{{ ds.meta_data.nothing }}": "jinja.unknown-name",  # null: cloud-init writes None
    "{{ v1.instance_id | upper }}": "jinja.unsupported",
    "{% if v1.instance_id %}a{% endif %}": "jinja.unsupported",
}


def config_of(value):
    quoted = '"' + value + '"' if "'" in value else "'" + value + "'"  # Jinja comes before YAML
    return f"""## template: jinja
#cloud-config
write_files:
- path: /run/kubeadm/kubeadm-join-config.yaml
  content: |
    apiVersion: kubeadm.k8s.io/v1beta4
    kind: JoinConfiguration
    discovery:
      bootstrapToken:
        token: abcdef.0123456789abcdef
        apiServerEndpoint: 192.0.2.10:6443
        caCertHashes: ["{PIN}"]
    nodeRegistration:
      name: worker-1
      kubeletExtraArgs:
      - name: value
        value: {quoted}
"""


def boot(user_data):
    write("root/seed/meta-data", META_DATA)
    write("root/seed/user-data", user_data)
    os.makedirs(WORK + "/root/etc", exist_ok=True)
    return run(KUBEJOIN, "boot", "--dry-run", "--root", WORK + "/root", "--source", "nocloud:/seed")


def our_value(user_data):
    out = boot(user_data)
    found = re.search(r"^nodeRegistration\.kubeletExtraArgs: \[value=(.*)\] +# ", out.stdout, re.M)
    ids = re.findall(r"^kubejoin: error: .*\[([a-z.-]+)\]$", out.stderr, re.M)
    return found.group(1) if found else None, ids


def their_value(user_data):
    out = cloud_init("devel", "render", "-i", INSTANCE_DATA, write("template", user_data))
    content = yaml.safe_load(out.stdout)["write_files"][0]["content"]
    return yaml.safe_load(content)["nodeRegistration"]["kubeletExtraArgs"][0]["value"]


for row in ROWS:
    mine, ids = our_value(config_of(row))
    theirs = their_value(config_of(row))
    verdict(f"template {row}", mine == theirs, f"{mine!r} {ids}, cloud-init: {theirs!r}")
for row, rule in DIFFERENT.items():
    mine, ids = our_value(config_of(row))
    verdict(f"template {row} is refused", mine is None and rule in ids, f"{mine!r} {ids}")

# ---- Envelopes: what cloud-init packs, we unpack; which part it sees, we name -----------------------------------------
DOCUMENT = f"""apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: abcdef.0123456789abcdef
    apiserverEndpoint: 192.0.2.10:6443
    caCertHashes: ["{PIN}"]
"""
CLOUD_CONFIG = "#cloud-config\nwrite_files:\n- path: /run/join.yaml\n  content: |\n" + "".join(
    "    " + line + "\n" for line in DOCUMENT.splitlines())
SCRIPT = "#!/bin/sh\necho 'apiVersion: kubeadm.k8s.io/v1beta4'\n"
parts = {"document": (DOCUMENT, "x-kubejoin"), "config": (CLOUD_CONFIG, "cloud-config"), "script": (SCRIPT, "x-shellscript")}
for name, (text, _) in parts.items():
    write("parts/" + name, text)


def findings(path):
    out = run(KUBEJOIN, "validate", "-o", "json", path)
    return json.loads(out.stdout)["errors"]


def check_envelope(name, path, in_part):
    errors = findings(path)
    good = len(errors) == 1 and errors[0]["rule"] == "schema.unknown-field" and errors[0]["part"].startswith(in_part)
    verdict(f"envelope {name}", good and errors[0]["path"] == "discovery.bootstrapToken.apiserverEndpoint", errors)


for order in (["config"], ["script", "config"], ["config", "script"]):
    argv = [part for name in order for part in ("-a", f"{WORK}/parts/{name}:{parts[name][1]}")]
    made = cloud_init("devel", "make-mime", *argv)
    path = write("mime", made.stdout)
    check_envelope("make-mime " + " ".join(order), path, f"part {order.index('config') + 1}")
    seen = [part.get_content_type() for part in user_data.UserDataProcessor(paths).process(made.stdout.encode()).walk()
            if not part.is_multipart()]
    verdict("parts of " + " ".join(order), seen == ["text/" + parts[name][1] for name in order], seen)

packed = {
    "gzip": gzip.compress(CLOUD_CONFIG.encode()),
    "base64": base64.encodebytes(CLOUD_CONFIG.encode()),
    "gzip in base64": base64.b64encode(gzip.compress(CLOUD_CONFIG.encode())),
    "gzip of MIME": gzip.compress(made.stdout.encode()),
}
for name, blob in packed.items():
    check_envelope(name, write("packed", blob), "")
archive = "#cloud-config-archive\n" + yaml.safe_dump(
    [{"type": "text/x-shellscript", "content": SCRIPT}, {"type": "text/cloud-config", "content": CLOUD_CONFIG}])
check_envelope("archive", write("archive", archive), "item 2")
seen = [part.get_content_type() for part in user_data.UserDataProcessor(paths).process(archive.encode()).walk() if not part.is_multipart()]
verdict("parts of the archive", seen == ["text/x-shellscript", "text/cloud-config"], seen)

# ---- Cloud-configs: what cloud-init's own schema thinks of what we tell people to write --------------------------------
GOOD = CLOUD_CONFIG.replace("apiserverEndpoint", "apiServerEndpoint")
for name, text, fine in (
        ("write_files", GOOD, True),
        ("a key without its list", GOOD.replace("write_files:\n", "write_files:\n  a: b\nx:\n"), False)):
    theirs = cloud_init("schema", "-c", write("config.yaml", text)).returncode == 0
    mine = run(KUBEJOIN, "validate", write("config.yaml", text))
    verdict(f"schema: {name}", theirs == fine and (mine.returncode == 0) == fine, f"cloud-init {theirs}, kubejoin {mine.returncode} {mine.stderr}")
key = "#cloud-config\nkubejoin:\n" + "".join("  " + line + "\n" for line in DOCUMENT.replace("apiserver", "apiServer").splitlines())
verdict("schema: our key", run(KUBEJOIN, "validate", write("key.yaml", key)).returncode == 0 and
        (cloud_init("schema", "-c", write("key.yaml", key)).returncode == 0) == VERSION.startswith("22."), "the key kubejoin, of which 25 warns")

# ---- User-data as it is in the world: the same bytes, the same file -----------------------------------------------------
from cloudinit import handlers
from cloudinit.config import cc_write_files
from cloudinit.handlers.cloud_config import CloudConfigPartHandler


def written(blob):
    """The join file that cloud-init would write, or None: user-data processor, cloud-config handler, write_files."""
    handler = CloudConfigPartHandler(paths)
    handler.cloud_fn = WORK + "/merged"
    kept = {}

    def callback(_data, filename, payload, headers):
        if headers["Content-Type"] in ("text/cloud-config", "text/cloud-config-jsonp"):
            handler.handle_part(None, headers["Content-Type"], filename, payload, "always", headers)

    handler.handle_part(None, handlers.CONTENT_START, None, None, "always", {})
    try:
        handlers.walk(user_data.UserDataProcessor(paths).process(blob), callback, None)
        kept = handler.cloud_buf or {}
        found = None
        files = kept.get("write_files") or []
        for deferred in (False, True):
            for entry in files:
                if bool(entry.get("defer")) != deferred or "source" in entry:
                    continue
                content = cc_write_files.extract_contents(entry.get("content") or "", cc_write_files.canonicalize_extraction(entry.get("encoding")))
                content = content.encode() if isinstance(content, str) else content
                if entry["path"] == "/run/join.yaml":
                    found = (found or b"") + content if entry.get("append") else content
        return found
    except Exception:  # cloud-init itself ends here: what it wrote before stays out of the comparison
        return None


def read_by_us(blob):
    return run(KUBEJOIN, "validate", "-o", "json", write("world", blob))


def mime(*parts, head="MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n", dashes="--"):
    return (head + "".join(dashes + "//\n" + part + "\n" for part in parts) + dashes + "//--\n").encode()


CONFIG = "Content-Type: text/cloud-config\n"
OTHER = "#cloud-config\nwrite_files:\n- {path: /o, content: x}\n"
APPEND = "merge_how: 'list(append)+dict(recurse_array)+str()'\n"
ours = CONFIG + "\n" + GOOD
entry = GOOD.split("write_files:\n")[1]
uu = "begin 644 a\n" + "".join(__import__("binascii").b2a_uu(GOOD.encode()[i:i + 45]).decode() for i in range(0, len(GOOD), 45)) + "`\nend\n"
packed_entry = "#cloud-config\nwrite_files:\n- path: /run/join.yaml\n  encoding: %s\n  content: %s\n"
good_b64 = base64.b64encode(DOCUMENT.replace("apiserver", "apiServer").encode()).decode()
WORLD = {
    "a part without the blank line": mime("Content-Type: text/x-shellscript\n#!/bin/sh\ntrue", ours),
    "ours without the blank line": mime(CONFIG + GOOD),
    "a line of blanks for the empty one": mime(CONFIG + "  \n" + GOOD),
    "preamble": mime(ours, head="MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\nhello\n"),
    "epilogue": mime(ours) + b"bye\n",
    "not terminated": mime(ours)[:-7],
    "CRLF": mime(ours).replace(b"\n", b"\r\n"),
    "uuencode": mime(CONFIG + "Content-Transfer-Encoding: x-uuencode\n\n" + uu),
    "quoted-printable": mime(CONFIG + "Content-Transfer-Encoding: quoted-printable\n\n" + GOOD.replace("=", "=3D")),
    "unknown transfer encoding": mime(CONFIG + "Content-Transfer-Encoding: bas64\n\n" + GOOD),
    "base64 with another character": mime(CONFIG + "Content-Transfer-Encoding: base64\n\n*" + base64.b64encode(GOOD.encode()).decode()),
    "a cloud-config that says it is a script": mime("Content-Type: text/x-shellscript\n\n" + GOOD),
    "another part is broken YAML": mime(ours, CONFIG + "\n#cloud-config\npackages: [a"),
    "another part is a list": mime(ours, CONFIG + "\n- a"),
    "another part is Latin-1 in base64": mime(ours, CONFIG + "Content-Transfer-Encoding: base64\n\n" + base64.b64encode(b"#cloud-config\na: caf\xe9\n").decode()),
    "#Cloud-Config": GOOD.replace("#cloud", "#Cloud", 1).encode(),
    "blank lines first": b"\n\n  " + GOOD.encode(),
    "a key twice": (GOOD + "runcmd: [a]\nruncmd: [b]\n").encode(),
    "write_files twice, ours last": (OTHER + GOOD.split("\n", 1)[1]).encode(),
    "an unknown encoding elsewhere": (GOOD + "- {path: /o, encoding: bz2, content: x}\n").encode(),
    "b64": (packed_entry % ("b64", good_b64)).encode(),
    "b64 with another character": (packed_entry % ("b64", "'*" + good_b64 + "'")).encode(),
    "appended": (GOOD + "- {path: /run/join.yaml, append: true, content: \"# end\\n\"}\n").encode(),
    "deferred": ("#cloud-config\nwrite_files:\n" + entry.replace("- path", "- defer: true\n  path", 1) + "- {path: /run/join.yaml, content: x}\n").encode(),
    "a later list replaces ours": mime(ours, CONFIG + "\n" + OTHER),
    "ours replaces a list": mime(CONFIG + "\n" + OTHER, ours),
    "merge_how": mime(ours, CONFIG + "\n#cloud-config\n" + APPEND + OTHER.split("\n", 1)[1]),
    "Merge-Type": mime(ours, CONFIG + "Merge-Type: list(append)+dict(recurse_array)+str()\n\n" + OTHER),
    "merge_how of a list alone": mime(CONFIG + "\n#cloud-config\nmerge_how: list(append)\n" + GOOD.split("\n", 1)[1]),
    "no_replace": mime(CONFIG + "\n" + OTHER, CONFIG + "\n#cloud-config\nmerge_how: dict()\n" + GOOD.split("\n", 1)[1]),
    "#! cloud-config": GOOD.replace("#cloud", "#! cloud", 1).encode(),
    "a key twice, ours first": (GOOD + OTHER.split("\n", 1)[1]).encode(),
    "delimiters without dashes": mime(ours, dashes=""),
    "without a top header": mime(ours, head=""),
    "archive, without types": ("#cloud-config-archive\n" + yaml.safe_dump([GOOD, "#!/bin/sh\n"])).encode(),
}
for name, blob in WORLD.items():
    theirs = written(blob)
    mine = read_by_us(blob)
    answer = json.loads(mine.stdout)
    # Not ours, or lost: the warning or the error says so. Else it is a join document without a mistake.
    found = answer["valid"] and not any(w["rule"] in ("config.for-others", "cloud-config.lost") for w in answer["warnings"])
    verdict(f"world: {name}", (theirs is not None and b"JoinConfiguration" in theirs) == found,
            f"cloud-init: {theirs and theirs[:40]}, kubejoin: {mine.stdout}")

print(f"cloud-init {VERSION}: {passed} agree, {failed} differ")
sys.exit(failed != 0)
