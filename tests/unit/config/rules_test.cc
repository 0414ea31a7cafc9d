// Single texts: upstream's vectors (spec §11.1, §11.3, §11.6) and the mistakes that people make.
#include "config/rules.h"

#include "../test.h"
#include "config/load.h"

using namespace kubejoin;
using namespace kubejoin::config;

namespace {

// "" or the message and the hint.
std::string words(const Judgement& judgement) { return judgement ? judgement->message + "; " + judgement->hint : ""; }

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("config::is_token (cluster-bootstrap token/util/helpers_test.go, kubeadm bootstraptokenstring_test.go)") {
  for (const char* ok : {"abcdef.1234567890123456", "123456.aabbccddeeffgghh", "abcdef.abcdef0123456789",
                         "123456.1234560123456789", "772ef5.6b6baab1d4a0a171"}) {
    CAPTURE(ok);
    CHECK(is_token(ok));
    CHECK_FALSE(judge_token(ok));
  }
  for (const char* bad : {"",
                          ".",
                          "1234567890123456789012",
                          "12345.1234567890123456",
                          ".1234567890123456",
                          "123456.",
                          "123456:1234567890.123456",
                          "abcdef:1234567890123456",
                          "Abcdef.1234567890123456",
                          "123456.AABBCCDDEEFFGGHH",
                          "123456.AABBCCD-EEFFGGHH",
                          "abc*ef.1234567890123456",
                          "ABCDEF.abcdef0123456789",
                          ".6b6baab1d4a0a171",
                          "772ef5.",
                          "abcdef.1234567890123456@foobar",
                          "f.s",
                          "abcdef.",
                          "abcdef:abcdef0123456789",
                          " abcdef.1234567890123456",
                          "abcdef.1234567890123456\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_token(bad));
    CHECK(judge_token(bad)->id == "config.token");
    CHECK(contains(judge_token(bad)->message, "the bootstrap token is invalid"));
    // Never echoed, not even the wrong one.
    if (std::string_view(bad).size() > 7) CHECK_FALSE(contains(words(judge_token(bad)), bad));
  }
  CHECK(contains(words(judge_token("ABCDEF.0123456789abcdef")), "upper case"));
  CHECK(contains(words(judge_token("abcdef.0123456789abcdef\n")), "line break"));
  CHECK(contains(words(judge_token("abcdef.0123")), "this one has 6 before the dot and 4 after it"));
  CHECK(contains(words(judge_token("abcdef0123456789abcdef")), "no dot"));
}

TEST_CASE("config::normalise_pin (kubeadm util/pubkeypin)") {
  const std::string hex = "8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4";
  CHECK(normalise_pin("sha256:" + hex).value() == "sha256:" + hex);
  CHECK(normalise_pin("SHA256:8DCA61852AA6FEA3A8C70CA5429A7AA560676BD3925D1F67F7A34D1EE5671FA4").value() ==
        "sha256:" + hex);

  struct Row {
    std::string pin;
    const char* says;
  };
  const Row rows[] = {
      {"xyz", "expected \"format:hex-value\". Known format(s) are: sha256"},
      {"0011223344", "expected \"format:hex-value\""},
      {"", "expected \"format:hex-value\""},
      {"sha256:" + hex + "sha256:" + hex, "expected \"format:hex-value\""},  // two colons
      {hex, "write \"sha256:8dca6185"},
      {"md5:" + hex, "unknown hash format \"md5\""},
      {"sha256:", "expected a 32 byte SHA-256 hash, found 0 bytes"},
      {"sha256:1234..cdef", "expected a 32 byte SHA-256 hash, found 5 bytes"},
      {"sha256:" + hex.substr(1) + "g", "not all of it is hex digits"},
      {"sha256:" + hex + "0", "found 32 bytes"},
      {"sha256:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=", "this is base64, not hex"},
      {"sha256:" + hex + ",sha256:" + hex, "make each an item of its own"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pin);
    const auto pin = normalise_pin(row.pin);
    REQUIRE_FALSE(pin);
    CHECK(pin.error().id == "config.pin");
    CHECK(pin.error().kind == Kind::invalid);
    const std::string said = pin.error().message + "; " + pin.error().hint;
    CHECK_MESSAGE(contains(said, row.says), said);
  }
}

namespace {

struct Judged {
  const char* text;
  const char* says;  // "" when it is fine
};

template <std::size_t N>
void check_all(Judgement (*judge)(std::string_view), const Judged (&rows)[N]) {
  for (const Judged& row : rows) {
    CAPTURE(row.text);
    const std::string said = words(judge(row.text));
    const bool fine = *row.says == '\0';
    CHECK_MESSAGE((fine ? said.empty() : contains(said, row.says)), said);
  }
}

}  // namespace

TEST_CASE("config::left_over: variables and placeholders, and what only looks like one") {
  const auto found = [](const char* text, LeftOver how = LeftOver::surely) { return left_over(text, how).value_or(""); };
  for (const char* whole : {"${TOKEN}", "${TOKEN:-x}", "${var.token}", "$TOKEN", "$token", "$(hostname -f)", "`hostname`", "%TOKEN%", "@TOKEN@", "__TOKEN__", "<TOKEN>",
                            "<your token>", "TODO", "CHANGE_ME", "REPLACE_ME"}) {
    CAPTURE(whole);
    CHECK(found(whole) == whole);
    CHECK(found(whole, LeftOver::anywhere) == whole);
  }
  CHECK(found("aws:///${AZ}/${ID}") == "${AZ}");
  CHECK(found("zone=$(zone)") == "$(zone)");
  CHECK(found("changeme", LeftOver::anywhere) == "changeme");
  CHECK(found("sha256:<hash>") == "");
  CHECK(found("sha256:<hash>", LeftOver::anywhere) == "<hash>");
  CHECK(found("abc.$REST", LeftOver::anywhere) == "$REST");
  // Legal in a field that holds them.
  for (const char* fine : {"", "$", "${", "${}", "$5", "A=true,B=$HOME", "memory.available<1Gi,nodefs.available<10%", "imagefs.available<5%,x<6%", "100%", "a__b", "__init__", "user@host",
                           "https://h/x?a=%ABC%3D", "todo-list", "node1", "todo", "changeme", "$$", "{{ v1.name }}", "<"}) {
    CAPTURE(fine);
    CHECK(found(fine) == "");
  }
  CHECK(placeholder("${X}").id == "config.placeholder");
}

TEST_CASE("config::judge_endpoint") {
  check_all(judge_endpoint,
            {
                {"192.168.122.100:6443", ""},
                {"cluster.example:6443", ""},
                {"[2001:db8::10]:6443", ""},
                {"localhost:1", ""},
                {"192.168.122.100", "missing port in address: \"192.168.122.100\"; write 192.168.122.100:6443"},
                {"[2001:db8::10]", "missing port in address"},
                {"2001:db8::10", "write [2001:db8::10]:6443"},
                {"https://192.0.2.10:6443", "write 192.0.2.10:6443"},
                {"https://192.0.2.10:6443/api", "write 192.0.2.10:6443"},
                {"host:", "missing port in address: \"host:\"; write host:6443"},
                {":6443", "there is no host"},
                {"host:0", "a port is a number of 1 to 65535"},
                {"host:65536", "a port is a number of 1 to 65535"},
                {"host:http", "the port is a number, not \"http\": \"host:http\"; write host:6443"},
                {"host:https", "write host:443"},
                {"ho st:6443", "white space is in the name"},
                {"host:6443/path", "a path does not belong to host:port: \"host:6443/path\"; write host:6443"},
                {"a:1,b:1", "several stand in one text"},
                // What Go would connect to, and TLS verify.
                {"API.Example.com:443", ""},
                {"api.example.com.:6443", ""},
                {"k8s_api:6443", ""},
                {"api.example.com:06443", ""},
                {"127.0.0.1:6443", ""},
                {"[::1]:6443", ""},
                {"xn--mnchen-3ya.example:6443", ""},
                {"1and1.example:6443", ""},
                // No address at all.
                {"10.0.0.256:6443", "it looks like an IPv4 address, but is none"},
                {"10.0.0:6443", "it looks like an IPv4 address, but is none"},
                {"10.0.0.1.5:6443", "it looks like an IPv4 address, but is none"},
                {"010.0.0.1:6443", "it looks like an IPv4 address, but is none"},
                {"10.0.0.1.:6443", "it looks like an IPv4 address, but is none"},
                {"0.0.0.0:6443", "it stands for every address of the machine that listens"},
                {"[::]:6443", "it stands for every address of the machine that listens"},
                {"[0:0:0:0:0:0:0:0]:6443", "it stands for every address of the machine that listens"},
                {"224.0.0.1:6443", "multicast"},
                {"255.255.255.255:6443", "broadcast"},
                {"[ff02::1]:6443", "multicast"},
                {"[fe80::1%eth0]:6443", "link-local"},
                {"[fe80::1]:6443", "link-local"},
                {"[2001:db8::10::1]:6443", "it is no IPv6 address"},
                {"[10.0.0.1]:6443", "brackets are for IPv6 addresses: \"[10.0.0.1]:6443\"; write 10.0.0.1:6443"},
                {"[api.example]:6443", "it is no IPv6 address: \"[api.example]:6443\"; write api.example:6443"},
                // No name.
                {"api..example.com:6443", "a label of the name is empty"},
                {".api.example.com:6443", "a label of the name is empty"},
                {"api.example.com..:6443", "a label of the name is empty"},
                {"-api.example.com:6443", "the label \"-api\" begins or ends with a dash"},
                {"api-.example.com:6443", "the label \"api-\" begins or ends with a dash"},
                {"m\xC3\xBCnchen.example:6443", "begins with xn--"},
                {"user@host:6443", "a host name has no \"@\""},
                {"a123456789012345678901234567890123456789012345678901234567890123.example:6443", "more than 63 characters"},
                // White space, URLs, several.
                {"api.example.com:6443 ", "white space is around it: \"api.example.com:6443 \"; write api.example.com:6443"},
                {"\tapi.example.com:6443\n", "write api.example.com:6443"},
                {"10.0.0.1 :6443", "white space is in the name: \"10.0.0.1 :6443\"; write 10.0.0.1:6443"},
                {"10.0.0.1: 6443", "the port is a number, not \" 6443\""},
                {"10.0.0.1:6443 10.0.0.2:6443", "several stand in one text"},
                {"10.0.0.1:6443/", "write 10.0.0.1:6443"},
                {"https://api.example.com", "write api.example.com:6443"},
                {"https://", "it looks like 192.0.2.10:6443"},
                {"https://10.0.0.256:6443", "it looks like 192.0.2.10:6443"},
                // Is the end of it the port?
                {"2001:db8::1:6443", "write [2001:db8::1]:6443 if 6443 is the port"},
                {"2001:db8:0:0:0:0:0:1:6443", "write [2001:db8:0:0:0:0:0:1]:6443"},
                {"2001:db8::5:1", "write [2001:db8::5:1]:6443"},
                // Nobody filled it in, and no hint repeats it.
                {"${LB}:6443", "\"${LB}\" is a variable that nobody has filled in; what should"},
                {"$LB:6443", "\"$LB\" is a variable"},
                {"${LB}", "\"${LB}\" is a variable"},
                {"https://${LB}:6443", "\"${LB}\" is a variable"},
                {"<control-plane-host>:6443", "\"<control-plane-host>\" is a placeholder"},
                {"@LB@:6443", "\"@LB@\" is a placeholder"},
                {"__LB_HOST__:6443", "\"__LB_HOST__\" is a placeholder"},
                {"TODO:6443", "\"TODO\" is a placeholder"},
                {"$(dig +short api):6443", "no shell has run it"},
            });
}

TEST_CASE("config::judge_cri_socket") {
  check_all(judge_cri_socket, {
                                  {"/some/path", ""},
                                  {"unix:///some/path", ""},
                                  {"/var/run/dockershim.sock", ""},
                                  {"bla:///some/path", "only URL scheme \"unix\" is supported, got \"bla\""},
                                  {"tcp://127.0.0.1:1", "only URL scheme \"unix\" is supported, got \"tcp\""},
                                  {":::", "not the absolute path"},
                                  {"some/path", "not the absolute path"},
                                  {"unix://some/path", "not the absolute path"},
                                  {"/", "not the absolute path"},
                                  {"", "not the absolute path"},
                                  {"/a b", "not the absolute path"},
                              });
  CHECK(normalise_cri_socket("/run/containerd/containerd.sock") == "unix:///run/containerd/containerd.sock");
  CHECK(normalise_cri_socket("/var/run/dockershim.sock") == "unix:///var/run/dockershim.sock");
  CHECK(normalise_cri_socket("unix:///x") == "unix:///x");
  CHECK(normalise_cri_socket("") == "");
}

TEST_CASE("config::judge_kubeconfig_path") {
  // Whether the file is there is asked on the machine: upstream's row of an absent absolute path is fine here.
  check_all(judge_kubeconfig_path, {
                                       {"/etc/kubernetes/discovery.conf", ""},
                                       {"file:///etc/x", ""},
                                       {"file:/etc/x", ""},
                                       {"https://url/file.conf", ""},
                                       {"https://[::1]:8443/x", ""},
                                       {"https://foo", ""},
                                       {"foo", "not a valid HTTPS URL or a file on disk"},
                                       {"file:wrong", "not a valid HTTPS URL or a file on disk"},
                                       {"http://[::1]a", "the scheme must be https"},
                                       {"http://url/file.conf", "the scheme must be https"},
                                       {"ftp://x/y", "the scheme must be https"},
                                       {"https://u r l/file.conf", "not a valid HTTPS URL or a file on disk"},
                                       {"https://[::1]a/x", "not a valid HTTPS URL or a file on disk"},
                                       {"https://", "not a valid HTTPS URL or a file on disk"},
                                       {"token://asdf:asdf", "the scheme must be https"},
                                   });
  CHECK(normalise_kubeconfig_path("file:///a/b") == "/a/b");
  CHECK(normalise_kubeconfig_path("file://localhost/a/b") == "/a/b");
  CHECK(normalise_kubeconfig_path("file:/a/b") == "/a/b");
  CHECK(normalise_kubeconfig_path("file:wrong") == "");
  CHECK(normalise_kubeconfig_path("file://host") == "");
  CHECK(normalise_kubeconfig_path("https://x") == "https://x");
}

TEST_CASE("config::judge_node_name") {
  const std::string longest(63, 'a'), longer(64, 'a');
  CHECK_FALSE(judge_node_name(longest));
  CHECK(contains(words(judge_node_name(longer)), "more than 63 characters"));
  check_all(judge_node_name,
            {
                {"valid-nodename", ""},
                {"ip-10-0-0-7.eu-central-1.compute.internal", ""},
                {"1", ""},
                {"", "empty hostname is invalid"},
                {"INVALID-NODENAME", "a lowercase RFC 1123 subdomain must consist of"},  // before normalisation
                {"invalid-nodename-", "\"invalid-nodename\" would be one"},
                {"invalid-node?name", "\"invalid-node-name\" would be one"},
                {"node_1", "\"node-1\" would be one"},
                {"-", "RFC 1123"},
                {"a..b", "RFC 1123"},
            });
  CHECK(normalise_node_name("  Node-1\n") == "node-1");
}

TEST_CASE("config: paths") {
  check_all(judge_ca_cert_path, {
                                    {"/some/cert.crt", ""},
                                    {"some/cert.crt", "the ca certificate path must be an absolute path"},
                                    {"/some/cert.pem", "ends in .crt"},
                                    {"/some/a b.crt", "must be an absolute path"},
                                });
  check_all(judge_absolute_path, {{"/run/x", ""}, {"run/x", "begin it with /"}, {"/run/\n", "not an absolute path"}});
}

TEST_CASE("config: durations") {
  check_all(judge_duration, {
                                {"5m0s", ""},
                                {"1h30m", ""},
                                {"250ms", ""},
                                {"1.5h", ""},
                                {"0", "leaves no time"},
                                {"0s", "leaves no time"},
                                {"-5m", "is no duration"},
                                {"300", "write \"300s\""},
                                {"5 minutes", "it looks like 5m0s"},
                                {"5d", "it looks like 5m0s"},
                                {"", "is no duration"},
                            });
  check_all(judge_delay, {{"0", ""}, {"0s", ""}, {"30s", ""}, {"-1s", "is no duration"}});
}

TEST_CASE("config: labels and taints") {
  const std::string name63(63, 'x'), name64(64, 'x');
  CHECK_FALSE(judge_qualified_name(name63));
  CHECK(judge_qualified_name(name64));
  CHECK_FALSE(judge_label_value(name63));
  CHECK(judge_label_value(name64));
  check_all(judge_qualified_name, {
                                      {"dedicated", ""},
                                      {"example.com/My_name.1", ""},
                                      {"", "no qualified name"},
                                      {"-x", "no qualified name"},
                                      {"x-", "no qualified name"},
                                      {"a b", "no qualified name"},
                                      {"/x", "no qualified name"},
                                      {"example.com/", "no qualified name"},
                                      {"a/b/c", "no qualified name"},
                                      {"Example.com/x", "no DNS name"},
                                  });
  check_all(
      judge_label_value,
      {{"", ""}, {"a.B_c-1", ""}, {"a b", "no label value"}, {"-a", "no label value"}, {"a/b", "no label value"}});
  // k8s.io/kubelet pkg/apis/well_known_labels.go: what a kubelet may say of itself.
  check_all(judge_label_key,
            {
                {"zone", ""},
                {"example.com/pool", ""},
                {"kubernetes.io/hostname", ""},
                {"topology.kubernetes.io/zone", ""},
                {"node.kubernetes.io/anything", ""},
                {"sub.node.kubernetes.io/anything", ""},
                {"kubelet.kubernetes.io/x", ""},
                {"notkubernetes.io/x", ""},
                {"node-role.kubernetes.io/worker", "kubectl label node NAME node-role.kubernetes.io/worker="},
                {"node-restriction.kubernetes.io/x", "write node.kubernetes.io/x"},
                {"kubernetes.io/x", "it would refuse to start"},
                {"k8s.io/x", "it would refuse to start"},
                {"cluster.x-k8s.io/x", ""},
                {"foo.k8s.io/x", "it would refuse to start"},
            });
}

TEST_CASE("config: arguments of the kubelet") {
  check_all(judge_arg_name, {{"node-ip", ""},
                             {"v", ""},
                             {"", "argument has no name"},
                             {"--v", "write v"},
                             {"v=4", "the name is \"v\""},
                             {"a b", "no name of an argument"},
                             {"--", "begins with a dash"}});
  CHECK_FALSE(judge_arg_value("node-ip", "10.0.0.1"));
  CHECK_FALSE(judge_arg_value("x", ""));
  CHECK(judge_arg_value("x", "a\nB=c")->id == "config.kubelet-arg");
  CHECK_FALSE(judge_arg_value("node-labels", ""));
  CHECK_FALSE(judge_arg_value("node-labels", "a=b,example.com/c="));
  CHECK_FALSE(judge_arg_value("node-labels", ",a=b,"));
  CHECK(contains(words(judge_arg_value("node-labels", "a=b,node-role.kubernetes.io/worker=")),
                 "kubectl label node NAME"));
  CHECK_FALSE(judge_arg_value("node-labels", "a,example.com/b , c=d"));  // as the kubelet's own flag: an empty value
  CHECK(contains(words(judge_arg_value("node-labels", "a b")), "no qualified name"));
  CHECK(contains(words(judge_arg_value("node-labels", "=b")), "no qualified name"));
  CHECK(contains(words(judge_arg_value("node-labels", "node-role.kubernetes.io/worker")), "kubectl label node NAME"));
  CHECK(contains(words(judge_arg_value("node-labels", "a=b c")), "no label value"));
  CHECK_FALSE(judge_arg_value("hostname-override", "Node-1"));
  CHECK(judge_arg_value("hostname-override", "node_1")->id == "config.node-name");
}

TEST_CASE("config: feature gates of kubeadm 1.9 to 1.12") {
  for (const char* gate : {"Auditing", "CoreDNS", "DynamicKubeletConfig", "SelfHosting", "StoreCertsInSecrets"})
    CHECK_FALSE(judge_feature_gate(gate));
  check_all(judge_feature_gate, {{"coredns", "did you mean \"CoreDNS\"?"},
                                 {"Foo", "unknown feature gate \"Foo\""},
                                 {"", "unknown feature gate"}});
}

TEST_CASE("config: FirstBoot's texts") {
  check_all(judge_ip, {{"10.0.0.7", ""},
                       {"2001:db8::7", ""},
                       {"10.0.0.7,2001:db8::7", ""},
                       {"2001:db8::7,10.0.0.7", ""},
                       {"10.0.0.7,10.0.0.8", "no pair of an IPv4 and an IPv6 address"},
                       {"10.0.0.7, 2001:db8::7", "\" 2001:db8::7\" is no IP address"},
                       {"10.0.0.7,10.0.0.8", "no pair"},
                       {"::", ""},  // the kubelet's way to prefer a family
                       {"0.0.0.0", ""},
                       {"0.0.0.0,2001:db8::7", "all zeros"},
                       {"127.0.0.1", "a loopback address"},
                       {"::1", "a loopback address"},
                       {"::ffff:127.0.0.1", "a loopback address"},
                       {"224.0.0.1", "a multicast address"},
                       {"ff02::1", "a multicast address"},
                       {"169.254.1.1", "a link-local address"},
                       {"fe80::1", "a link-local address"},
                       {"FEB0::1", "a link-local address"},
                       {"fec0::1", ""},
                       {"250.0.0.1", ""},
                       {"10.0.0.7,", "\"\" is no IP address"},
                       {"10.0.0.0/8", "write {cidr: 10.0.0.0/8}"},
                       {"10.0.0", "no IP address"},
                       {"host", "no IP address"}});
  check_all(judge_cidr, {{"10.0.0.0/8", ""},
                         {"::/0", ""},
                         {"2001:db8::/32", ""},
                         {"10.0.0.0", "no network"},
                         {"10.0.0.0/33", "no network"},
                         {"10.0.0.0/-1", "no network"},
                         {"10.0.0.0/8x", "no network"},
                         {"x/8", "no network"}});
  check_all(judge_provider_id, {{"aws:///eu-central-1a/i-0", ""},
                                {"i-0", "no provider id"},
                                {"://x", "no provider id"},
                                {"a b://x", "no provider id"}});
  check_all(judge_token_from, {
                                  {"credential:join-token", ""},
                                  {"file:/run/secrets/token", ""},
                                  {"https://vault.example/token", ""},
                                  {"metadata:attributes/token", ""},
                                  {"abcdef.0123456789abcdef", "this is a token itself"},
                                  {"http://x/token", "plain HTTP"},
                                  {"file:token", "not absolute"},
                                  {"credential:", "name of a credential"},
                                  {"credential:a/b", "name of a credential"},
                                  {"/run/token", "none of credential:NAME"},
                                  {"https://", "none of credential:NAME"},
                                  {"file:/a b", "white space"},
                              });
}
