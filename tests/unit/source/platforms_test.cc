// Every platform with a metadata service: recorded answers in, expected instance data out.
#include "recorded.h"

using namespace kubejoin;
using namespace kubejoin::source;

namespace {

constexpr const char* kRecorded[] = {"ec2", "gce", "azure", "openstack", "digitalocean", "hetzner", "oracle", "vultr", "scaleway", "aliyun", "akamai"};

std::string user_data() { return file_of_test("metadata/ec2/user-data"); }

}  // namespace

TEST_CASE("source::fetch: recorded metadata services") {
  for (const std::string platform : kRecorded) {
    CAPTURE(platform);
    const Recorded recorded(platform);
    FakeHost host;
    recorded.play_on(host);
    const auto fetched = fetch(host, "", soon(host));
    REQUIRE(outcome(fetched) == "ok");
    CHECK(fetched->source == platform);
    CHECK(fetched->user_data == user_data());
    CHECK_FALSE(fetched->none);
    CHECK(*render_query(*fetched, "", true) == recorded.body("expected.json"));
    recorded.check_headers(host, recorded.address());
    for (const auto& options : host.sessions) {
      CHECK_FALSE(options.use_proxy);
      CHECK(options.https_redirects == 0);
    }
    CHECK(host.count_touches("sleep") == 0);
    for (const auto& touch : host.touches)  // a source changes nothing
      CHECK((touch.starts_with("GET ") || touch.starts_with("PUT ") || touch.starts_with("wait_for_route ")));
  }
}

TEST_CASE("source::fetch: no user-data") {
  struct None {
    const char* platform;
    const char* request;
    FakeHost::Answer answer;
  };
  const None table[] = {
      {"ec2", "GET http://169.254.169.254/latest/user-data", {.status = 404}},
      {"openstack", "GET http://169.254.169.254/openstack/latest/user_data", {.status = 404}},
      {"hetzner", "GET http://169.254.169.254/hetzner/v1/userdata", {.status = 204}},
      {"scaleway", "GET http://169.254.42.42/user_data/cloud-init", {.status = 404}},
      {"aliyun", "GET http://100.100.100.200/2016-01-01/user-data", {.status = 404}},
      {"akamai", "GET http://169.254.169.254/v1/user-data", {.status = 404}},
      {"digitalocean", "GET http://169.254.169.254/metadata/v1.json", {.body = R"({"droplet_id": 1, "user_data": null})"}},
      {"vultr", "GET http://169.254.169.254/v1.json", {.body = R"({"instance-v2-id": "a", "user-data": []})"}},
      {"gce", "GET http://169.254.169.254/computeMetadata/v1/instance/?recursive=true", {.body = R"({"id": 1, "attributes": {}})"}},
      {"oracle", "GET http://169.254.169.254/opc/v2/instance/", {.body = R"({"id": "ocid1.instance", "metadata": {}})"}},
      {"azure", "GET http://169.254.169.254/metadata/instance?api-version=2021-02-01", {.body = R"({"compute": {"vmId": "a", "userData": ""}})"}},
  };
  for (const None& none : table) {
    CAPTURE(none.platform);
    const Recorded recorded(none.platform);
    FakeHost host;
    recorded.play_on(host, recorded.address(), none.request);
    host.answer(none.request, none.answer);
    const auto fetched = fetch(host, "", soon(host));
    REQUIRE(outcome(fetched) == "ok");
    CHECK(fetched->none);
    CHECK(fetched->user_data.empty());
    CHECK(fetched->source == none.platform);
  }
}

TEST_CASE("source::fetch: over IPv6 alone") {
  for (const char* platform : {"ec2", "oracle", "scaleway", "akamai"}) {
    CAPTURE(platform);
    const Recorded recorded(platform);
    FakeHost host;
    recorded.play_on(host, recorded.address(1));
    host.on_request = [](const HttpRequest&) { return nobody_there(); };
    const auto fetched = fetch(host, "", soon(host));
    REQUIRE(outcome(fetched) == "ok");
    CHECK(fetched->user_data == user_data());
    CHECK(fetched->origin.starts_with(recorded.address(1)));
    CHECK(host.count_touches("sleep") == 0);
  }
}

TEST_CASE("source::fetch: OpenStack's link-local address on every network card") {
  const Recorded recorded("openstack");
  FakeHost host;
  recorded.play_on(host, "http://[fe80::a9fe:a9fe%25ens3]");
  host.on_request = [](const HttpRequest&) { return nobody_there(); };
  host.put("/sys/class/net/ens3/device/vendor", "0x1af4");
  host.put("/sys/class/net/lo/type", "772");
  const auto fetched = fetch(host, "", soon(host));
  REQUIRE(outcome(fetched) == "ok");
  CHECK(fetched->origin == "http://[fe80::a9fe:a9fe%25ens3]/openstack/latest/user_data");
  CHECK(host.count_touches("GET http://[fe80::a9fe:a9fe%25lo]") == 0);
}

TEST_CASE("source::fetch: EC2 without tags asks for none") {
  const Recorded recorded("ec2");
  FakeHost host;
  recorded.play_on(host, recorded.address(), "GET http://169.254.169.254/latest/meta-data/tags/instance");
  const auto fetched = fetch(host, "", soon(host));
  REQUIRE(outcome(fetched) == "ok");
  CHECK(host.count_touches("GET http://169.254.169.254/latest/meta-data/tags/instance/") == 0);
  CHECK(fetched->metadata.get("instance.tags.Name").empty());
  CHECK(fetched->metadata.get("v1.instance-id") == "i-0f3c2b1a09d8e7f65");
}

TEST_CASE("source::fetch: a silent IMDS, and what usually is wrong then") {
  const Recorded recorded("ec2");
  FakeHost host;
  recorded.play_on(host, "http://192.0.2.1");
  host.on_request = [](const HttpRequest&) { return nobody_there(); };
  const Instant deadline = soon(host);
  const auto silent = fetch(host, "", deadline);
  CHECK(id_of(silent) == "http.unreachable");
  CHECK(silent.error().hint.find("hop-limit") != std::string::npos);
  CHECK(host.instant <= deadline);
  for (const auto& request : host.requests) CHECK(request.method == "PUT");  // without a token nothing is asked: never version 1
}

TEST_CASE("source::fetch: Azure's customData where there is no userData") {
  const Recorded recorded("azure");
  const std::string instance = "GET http://169.254.169.254/metadata/instance?api-version=2021-02-01";
  const std::string xml = "<?xml version=\"1.0\"?><ns0:Environment xmlns:ns0=\"http://schemas.dmtf.org/ovf/environment/1\" "
                          "xmlns:ns1=\"http://schemas.microsoft.com/windowsazure\"><ns1:ProvisioningSection><ns1:LinuxProvisioningConfigurationSet>"
                          "<ns1:UserPassword>REDACTED</ns1:UserPassword><ns1:CustomData>" + base64(user_data()) +
                          "</ns1:CustomData></ns1:LinuxProvisioningConfigurationSet></ns1:ProvisioningSection></ns0:Environment>";
  FakeHost host;
  recorded.play_on(host, recorded.address(), instance);
  host.answer(instance, {.body = R"({"compute": {"vmId": "a", "userData": ""}})"});
  host.put("/var/lib/waagent/ovf-env.xml", xml);
  const auto copied = fetch(host, "", soon(host));
  REQUIRE(outcome(copied) == "ok");
  CHECK(copied->user_data == user_data());
  CHECK(copied->origin == "/var/lib/waagent/ovf-env.xml");

  host.files.erase("/var/lib/waagent/ovf-env.xml");
  host.put("/dev/sr0", "no file system");
  const auto none = fetch(host, "", soon(host));
  REQUIRE(outcome(none) == "ok");
  CHECK(none->none);
}

TEST_CASE("source::fetch: an answer about another machine") {
  FakeHost host;
  Recorded("hetzner").play_on(host);
  host.put("/sys/class/dmi/id/product_serial", "42338242\n");
  const auto other = fetch(host, "", soon(host));
  CHECK(id_of(other) == "source.instance");
  CHECK(other.error().kind == Kind::untrusted);
}

TEST_CASE("source::fetch: a page in place of metadata") {
  for (const char* page : {"<html><body>Sign in</body></html>", "Service unavailable", "{\"droplet_id\": ", "\xff\xfe"}) {
    CAPTURE(page);
    FakeHost host;
    host.put("/sys/class/dmi/id/sys_vendor", "DigitalOcean\n");
    host.answer("GET /metadata/v1.json", {.body = page});
    const auto fetched = fetch(host, "", soon(host));
    CHECK(id_of(fetched) == "source.metadata");
    CHECK(fetched.error().place.text.empty());
  }
}

TEST_CASE("source::fetch: base64 that is none") {
  FakeHost host;
  const Recorded recorded("akamai");
  const std::string request = "GET http://169.254.169.254/v1/user-data";
  recorded.play_on(host, recorded.address(), request);
  host.answer(request, {.body = "#cloud-config"});
  const auto fetched = fetch(host, "", soon(host));
  CHECK(id_of(fetched) == "source.base64");
  CHECK(fetched.error().kind == Kind::invalid);
}

TEST_CASE("source::sources: rows are complete and their names differ") {
  std::vector<std::string_view> names;
  for (const Source& source : sources()) {
    CAPTURE(source.name);
    CHECK_FALSE(source.title.empty());
    CHECK_FALSE(source.recognised_by.empty());
    CHECK(std::find(names.begin(), names.end(), source.name) == names.end());
    names.push_back(source.name);
  }
  CHECK(names.size() == sources().size());
}
