// Sources beside the machine: files and drop-ins, credentials, SMBIOS, fw_cfg, NoCloud, guestinfo, cloud-init, an https URL.
#include "recorded.h"

using namespace kubejoin;
using namespace kubejoin::source;

TEST_CASE("source file: join.yaml and its drop-ins") {
  FakeHost host;
  host.put("/usr/lib/kubejoin/join.yaml", "a: vendor\n");
  host.put("/usr/lib/kubejoin/join.yaml.d/20-site.yaml", "b: vendor\n");
  host.put("/usr/lib/kubejoin/join.yaml.d/50-last.yaml", "c: vendor");
  host.put("/run/kubejoin/join.yaml.d/20-site.yaml", "b: run\n");
  host.put("/etc/kubejoin/join.yaml.d/10-first.yml", "d: etc\n");
  host.put("/etc/kubejoin/join.yaml.d/notes.txt", "not read");
  auto fetched = fetch(host, "", soon(host));
  REQUIRE(outcome(fetched) == "ok");
  CHECK(fetched->source == "file");
  CHECK(fetched->user_data == "a: vendor\n---\nd: etc\n---\nb: run\n---\nc: vendor\n");
  CHECK(fetched->origin == "/usr/lib/kubejoin/join.yaml, /etc/kubejoin/join.yaml.d/10-first.yml, /run/kubejoin/join.yaml.d/20-site.yaml, "
                           "/usr/lib/kubejoin/join.yaml.d/50-last.yaml");
  std::string pieces;  // each file as it is, whatever was put between them
  for (const auto& file : fetched->files) pieces += file.path + "=" + fetched->user_data.substr(file.begin, file.size) + ";";
  CHECK(pieces == "/usr/lib/kubejoin/join.yaml=a: vendor\n;/etc/kubejoin/join.yaml.d/10-first.yml=d: etc\n;"
                  "/run/kubejoin/join.yaml.d/20-site.yaml=b: run\n;/usr/lib/kubejoin/join.yaml.d/50-last.yaml=c: vendor;");

  host.put("/etc/kubejoin/join.yaml", "a: etc\n");
  host.put_link("/etc/kubejoin/join.yaml.d/20-site.yaml", "/dev/null");
  host.put("/run/kubejoin/join.yaml.d/50-last.yaml", "");
  fetched = fetch(host, "", soon(host));
  CHECK(fetched->user_data == "a: etc\n---\nd: etc\n");

  host.put_link("/etc/kubejoin/join.yaml", "/dev/null");
  fetched = fetch(host, "file:", soon(host));
  CHECK(fetched->user_data == "d: etc\n");
  CHECK(fetched->files.empty());  // one alone
}

TEST_CASE("source file: one file, a folder, and what is neither") {
  FakeHost host;
  host.put("/srv/one", std::string("\x1f\x8b\x08 any bytes, as they are", 27));
  host.put("/srv/many/b.yaml", "b: 2");
  host.put("/srv/many/a.json", "{\"a\": 1}");
  CHECK(fetch(host, "file:///srv/one", soon(host))->user_data == host.content("/srv/one"));
  CHECK(fetch(host, "file:/srv/many", soon(host))->user_data == "{\"a\": 1}\n---\nb: 2\n");
  CHECK(id_of(fetch(host, "file:///absent", soon(host))) == "file.absent");
  CHECK(id_of(fetch(host, "file://srv/one", soon(host))) == "source.file");
  host.put("/srv/large", std::string((1 << 20) + 1, 'x'));
  CHECK(id_of(fetch(host, "file:///srv/large", soon(host))) == "file.too-large");
}

TEST_CASE("source file: drop-ins in order, overridden by name whatever the place of either, masked") {
  const std::string lib = "/usr/lib/kubejoin/join.yaml.d/", run = "/run/kubejoin/join.yaml.d/", etc = "/etc/kubejoin/join.yaml.d/";
  const struct {
    const char* what;
    std::vector<std::pair<std::string, std::string>> files;  // "" masks; ">" is a link to /dev/null
    std::string read;                                        // the order of the paths
  } kRows[] = {
      {"by name, not by place", {{etc + "10", "x"}, {run + "05", "x"}, {lib + "07", "x"}}, run + "05 " + lib + "07 " + etc + "10"},
      {"as bytes, not as numbers", {{lib + "9", "x"}, {lib + "10", "x"}}, lib + "10 " + lib + "9"},
      {"/etc over /run over /usr/lib", {{lib + "1", "x"}, {run + "1", "x"}, {etc + "1", "x"}, {lib + "2", "x"}, {run + "2", "x"}}, etc + "1 " + run + "2"},
      {"an empty file masks", {{lib + "1", "x"}, {run + "1", ""}, {lib + "2", "x"}}, lib + "2"},
      {"a link to nowhere masks", {{lib + "1", "x"}, {run + "1", "x"}, {etc + "1", ">"}, {lib + "2", "x"}}, lib + "2"},
      {"a mask below is overridden as well", {{lib + "1", ""}, {run + "1", ">"}, {etc + "1", "x"}, {etc + "2", "x"}}, etc + "1 " + etc + "2"},
      {"all is masked", {{lib + "1", "x"}, {etc + "1", ">"}}, ""},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    for (const auto& [path, content] : row.files) {
      if (content == ">") host.put_link(path + ".yaml", "/dev/null");
      else host.put(path + ".yaml", content);
    }
    const auto fetched = fetch(host, "", soon(host));
    REQUIRE(outcome(fetched) == "ok");
    CHECK(fetched->none == row.read.empty());
    if (!row.read.empty()) CHECK(fetched->origin == replace_all(row.read, " ", ".yaml, ") + ".yaml");
  }
}

TEST_CASE("source https: a certificate out of time waits for the clock, and its URL's secrets wait with it") {
  for (const bool is_set : {true, false}) {
    CAPTURE(is_set);
    FakeHost host;
    host.answer("GET https://seed.example/join", {.error = fail(Kind::untrusted, "tls.not-yet-valid", "not valid before 2026", "is the clock right?").value()});
    host.answer("GET https://seed.example/join", {.body = "a"});
    host.answer("HEAD https://seed.example/", {.status = 404, .headers = {{"date", "Wed, 25 Nov 2026 00:00:00 GMT"}}});
    if (is_set) host.clock_set_in = Millis(3'000);
    host.clock_set_by = std::chrono::hours(24);
    const Instant began = host.instant;
    const auto fetched = fetch(host, "https://seed.example/join?sig=hidden", began + std::chrono::minutes(1));
    CHECK(id_of(fetched) == (is_set ? "ok" : "clock.skew"));
    CHECK(std::chrono::duration_cast<Millis>(host.instant - began) == Millis(is_set ? 3'000 : 60'000));
    CHECK(host.count_touches("HEAD https://seed.example/") == 1);
    CHECK(host.count_touches("GET") == (is_set ? 2 : 1));
  }
}

TEST_CASE("source credential") {
  FakeHost host;
  CHECK(id_of(fetch(host, "credential:", soon(host))) == "source.no-credentials");
  host.variables["CREDENTIALS_DIRECTORY"] = "/run/credentials/kubejoin.service";
  CHECK(fetch(host, "credential:", soon(host))->none);
  host.put("/run/credentials/kubejoin.service/other", "text");
  CHECK(fetch(host, "credential:other", soon(host))->user_data == "text");
  CHECK(id_of(fetch(host, "credential:../../../etc/shadow", soon(host))) == "source.credential");
}

TEST_CASE("source smbios: type 11 strings") {
  const auto entry = [](std::string_view strings) { return std::string("\x0b\x05\x00\x2b\x02", 5) + std::string(strings); };
  struct Entry {
    const char* what;
    std::string raw, expected;
  };
  using namespace std::string_literals;
  const Entry table[] = {
      {"plain, second of two", entry("io.systemd.credential:x=y\0io.kubejoin:user-data=a: 1\0\0"s), "a: 1"},
      {"base64", entry("io.kubejoin.binary:user-data=YQpi\0\0"s), "a\nb"},
      {"unterminated", entry("io.kubejoin:user-data=a"s), "a"},
      {"formatted area longer than the entry", "\x0b\xff\x00\x2b\x02io.kubejoin:user-data=a\0\0"s, ""},
      {"another's", entry("io.kubejoin:user-dataX=a\0\0"s), ""},
      {"too short", "\x0b"s, ""},
      {"empty", "", ""},
  };
  for (const auto& e : table) {
    CAPTURE(e.what);
    FakeHost host;
    host.put("/sys/firmware/dmi/entries/11-0/raw", e.raw);
    host.put("/sys/firmware/dmi/entries/1-0/raw", entry("io.kubejoin:user-data=of another type\0\0"s));
    const auto fetched = fetch(host, "", soon(host));
    REQUIRE(outcome(fetched) == "ok");
    CHECK(fetched->user_data == e.expected);
    CHECK(fetched->source == (e.expected.empty() ? "none" : "smbios"));
  }
  FakeHost host;
  host.put("/sys/firmware/dmi/entries/11-0/raw", entry("io.kubejoin.binary:user-data=%\0\0"s));
  CHECK(id_of(fetch(host, "", soon(host))) == "source.base64");
}

TEST_CASE("source fw_cfg: ours before Ignition's") {
  FakeHost host;
  host.put("/sys/firmware/qemu_fw_cfg/by_name/opt/com.coreos/config/raw", "{\"ignition\": {}}");
  CHECK(fetch(host, "", soon(host))->user_data == "{\"ignition\": {}}");
  host.put("/sys/firmware/qemu_fw_cfg/by_name/opt/io.kubejoin/user-data/raw", "a: 1");
  CHECK(fetch(host, "", soon(host))->user_data == "a: 1");
}

TEST_CASE("source nocloud: folders and directives") {
  FakeHost host;
  host.put("/var/lib/cloud/seed/nocloud/user-data", "a: 1");
  host.put("/var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\nlocal-hostname: seed\nregion: r\nnested: {key: value}\n");
  auto fetched = fetch(host, "", soon(host));
  REQUIRE(outcome(fetched) == "ok");
  CHECK(fetched->user_data == "a: 1");
  CHECK(fetched->metadata.get("v1.instance_id") == "i-1");
  CHECK(fetched->metadata.get("v1.region") == "r");
  CHECK(fetched->metadata.get("ds.meta_data.nested.key") == "value");
  CHECK(fetched->metadata.get("v1.cloud_name") == "unknown");

  host.put("/proc/cmdline", "ro ds=nocloud;h=kernel;x-role=node console=ttyS0\n");  // the kernel's word comes first
  fetched = fetch(host, "", soon(host));
  CHECK(fetched->metadata.get("v1.local_hostname") == "kernel");
  CHECK(fetched->metadata.get("v1.instance_id") == "i-1");
  CHECK(fetched->metadata.get("ds.meta_data.x-role") == "node");

  host.put("/sys/class/dmi/id/product_serial", "ds=nocloud;i=i-9;s=/srv/seed/\n");  // and the hypervisor's before it
  host.put("/srv/seed/user-data", "b: 2");
  fetched = fetch(host, "", soon(host));
  CHECK(fetched->user_data == "b: 2");
  CHECK(fetched->metadata.get("v1.instance_id") == "i-9");
  CHECK(fetched->metadata.get("v1.local_hostname").empty());

  CHECK(fetch(host, "nocloud:/var/lib/cloud/seed/nocloud", soon(host))->user_data == "a: 1");
  CHECK(id_of(fetch(host, "nocloud:ftp://example.com/", soon(host))) == "source.nocloud");
  CHECK(id_of(fetch(host, "nocloud:/absent", soon(host))) == "file.absent");
}

TEST_CASE("source nocloud: over the network") {
  for (const char* seed : {"http://10.0.2.2:8000/__dmi.system-uuid__/", "http://10.0.2.2:8000/__dmi.system-uuid__"}) {
    FakeHost host;
    host.put("/sys/class/dmi/id/product_uuid", "4c4c4544\n");
    host.put("/proc/cmdline", std::string("\"ds=nocloud-net;s=") + seed + "\"\n");
    host.answer("GET http://10.0.2.2:8000/4c4c4544/meta-data", {.body = "instance-id: i-1\n"});
    host.answer("GET http://10.0.2.2:8000/4c4c4544/user-data", {.body = "a: 1"});
    const auto fetched = fetch(host, "", soon(host));
    REQUIRE(outcome(fetched) == "ok");
    CHECK(fetched->user_data == "a: 1");
    CHECK(fetched->origin == "http://10.0.2.2:8000/4c4c4544/user-data");
    CHECK(host.touched("wait_for_route 10.0.2.2"));
    CHECK(host.sessions.front().use_proxy);  // not link-local: a proxy may be the only way
  }
}

TEST_CASE("source vmware: guestinfo and its encodings") {
  const auto machine = [](const std::string& program) {
    FakeHost host;
    host.put("/sys/class/dmi/id/product_name", "VMware7,1\n");
    host.put("/sys/class/dmi/id/product_uuid", "423AFFEE-0000\n");
    host.programs = {program.substr(0, program.find(' '))};
    host.on_command = [](const Command&) { return CommandResult{.status = 1, .out = {}, .err = "No value found\n"}; };
    return host;
  };
  const auto info = [](FakeHost& host, const std::string& program, const std::string& key, const std::string& value) {
    host.answer_command(program + " info-get guestinfo." + key, CommandResult{.status = 0, .out = value + "\n", .err = {}});
  };
  for (const std::string program : {"vmware-rpctool", "vmtoolsd --cmd"}) {
    CAPTURE(program);
    FakeHost host = machine(program);
    CHECK(fetch(host, "", soon(host))->none);
    info(host, program, "userdata", "YTogMQ==");
    info(host, program, "userdata.encoding", "base64");
    info(host, program, "metadata", "instance-id: i-1\nlocal-hostname: worker-7");
    const auto fetched = fetch(host, "", soon(host));
    REQUIRE(outcome(fetched) == "ok");
    CHECK(fetched->user_data == "a: 1");
    CHECK(fetched->metadata.get("v1.instance_id") == "i-1");
    CHECK(fetched->metadata.get("v1.local_hostname") == "worker-7");
  }
  FakeHost wiped = machine("vmware-rpctool");
  info(wiped, "vmware-rpctool", "userdata", "---");
  info(wiped, "vmware-rpctool", "ignition.config.data", "{\"ignition\": {}}");
  const auto ignition = fetch(wiped, "", soon(wiped));
  CHECK(ignition->user_data == "{\"ignition\": {}}");
  CHECK(ignition->metadata.get("v1.instance_id") == "423affee-0000");

  FakeHost odd = machine("vmware-rpctool");
  info(odd, "vmware-rpctool", "userdata", "x");
  info(odd, "vmware-rpctool", "userdata.encoding", "rot13");
  CHECK(id_of(fetch(odd, "", soon(odd))) == "source.encoding");
  FakeHost bare = machine("none");
  CHECK(id_of(fetch(bare, "", soon(bare))) == "source.no-tools");
  FakeHost broken = machine("vmware-rpctool");
  broken.on_command = [](const Command&) { return CommandResult{.status = 1, .out = {}, .err = "Failed to open the channel"}; };
  CHECK(id_of(fetch(broken, "", soon(broken))) == "source.guestinfo");
}

TEST_CASE("source cloud-init: what it has fetched") {
  FakeHost host;
  host.put("/run/cloud-init/instance-data-sensitive.json",
           R"({"base64_encoded_keys": [], "userdata": "c2VjcmV0", "v1": {"cloud_name": "exoscale", "instance_id": "i-1", "instance-id": "i-1", "region": null},
               "ds": {"meta_data": {"local-ipv4": "10.0.0.7", "user-data": "hidden"}}})");
  host.put("/var/lib/cloud/instance/user-data.txt", "a: 1");
  const auto fetched = fetch(host, "", soon(host));
  REQUIRE(outcome(fetched) == "ok");
  CHECK(fetched->source == "cloud-init");
  CHECK(fetched->user_data == "a: 1");
  CHECK(fetched->metadata.get("v1.cloud_name") == "exoscale");
  CHECK(fetched->metadata.get("instance.local_ipv4") == "10.0.0.7");
  CHECK(fetched->metadata.get("v1.region").empty());
  for (const auto& [name, value] : fetched->metadata.values) CHECK(name.find("user") == name.npos);
}

TEST_CASE("source https: sums, authorities, and the kernel command line") {
  const std::string sum = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";  // of "a"
  struct Case {
    std::string uri, expected;
  };
  const Case table[] = {
      {"https://seed.example/join", "ok"},
      {"https://seed.example/join#sha256=" + sum, "ok"},
      {"https://seed.example/join#sha256=" + std::string(64, '0'), "source.sha256"},
      {"https://seed.example/join#sha256=123", "source.https"},
      {"https://seed.example/join#md5=" + sum, "source.https"},
      {"https://seed.example/join#ca=/etc/ca.pem&sha256=" + sum, "ok"},
      {"https://seed.example/join#ca=/absent.pem", "file.absent"},
      {"https://seed.example/absent", "http.not-found"},
  };
  for (const Case& c : table) {
    CAPTURE(c.uri);
    FakeHost host;
    host.put("/etc/ca.pem", "the CA");
    host.answer("GET https://seed.example/join", {.body = "a"});
    const auto fetched = fetch(host, c.uri, soon(host));
    CHECK(id_of(fetched) == c.expected);
    if (!fetched) continue;
    CHECK(fetched->user_data == "a");
    CHECK(fetched->origin == "https://seed.example/join");
    const bool own_ca = c.uri.find("ca=/") != c.uri.npos;
    CHECK(host.sessions.front().ca_pem == (own_ca ? "the CA" : ""));
    CHECK((host.sessions.front().trust == HttpOptions::Trust::given) == own_ca);
  }
  for (const std::string& url : {"https://seed.example/join;sha256=" + sum, "https://seed.example/join#sha256=" + sum}) {
    FakeHost host;
    host.put("/proc/cmdline", "ro kubejoin.url=" + url + " quiet\n");
    host.answer("GET https://seed.example/join", {.body = "a"});
    CHECK(fetch(host, "", soon(host))->user_data == "a");
  }
  FakeHost host;
  host.put("/proc/cmdline", "kubejoin.url=http://seed.example/join\n");
  CHECK(id_of(fetch(host, "", soon(host))) == "source.https");
  CHECK(host.requests.empty());
}
