// Unwrapping: the shapes that Cluster API, EKS, Terraform and people write, and the place of a mistake in each of them.
#include "parse/envelope.h"

#include "base/text.h"
#include "texts.h"

using namespace kubejoin;
using namespace kubejoin::parse;

namespace {

const Variables kVariables = {{"v1.local_hostname", "node-7"}, {"ds.meta_data.local-hostname", "node-7.internal"}};

const std::string kJoin = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: JoinConfiguration\nnodeRegistration:\n  name: a\n";
const std::string kJoinJson =
    R"({"apiVersion":"kubeadm.k8s.io/v1beta3","kind":"JoinConfiguration","nodeRegistration":{"name":"a"}})";
const std::string kBroken = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: JoinConfiguration\nkind: twice\n";
const std::string kTwice = " yaml.duplicate-key duplicate key \"kind\" (first on line ";

// Cluster API's worker, as its bootstrap controller writes it (line 10 is "---").
const std::string kClusterApi =
    "## template: jinja\n"
    "#cloud-config\n"
    "\n"
    "write_files:\n"
    "-   path: /run/kubeadm/kubeadm-join-config.yaml\n"
    "    owner: root:root\n"
    "    permissions: '0640'\n"
    "    content: |\n"
    "      ---\n"
    "      apiVersion: kubeadm.k8s.io/v1beta3\n"
    "      kind: JoinConfiguration\n"
    "      nodeRegistration:\n"
    "        name: '{{ ds.meta_data.local_hostname }}'\n"
    "      \n"
    "-   path: /run/cluster-api/placeholder\n"
    "    owner: root:root\n"
    "    permissions: '0640'\n"
    "    content: \"This placeholder file is used to create the /run/cluster-api sub directory\"\n"
    "-   path: /usr/local/bin/x.sh\n"
    "    content: |\n"
    "      #!/bin/sh\n"
    "      {% if x %}kubectl -o go-template='{{ .Foo | bar }}'{% endif %}\n"
    "runcmd:\n"
    "  - 'kubeadm join --config /run/kubeadm/kubeadm-join-config.yaml  && echo success > "
    "/run/cluster-api/bootstrap-success.complete'\n";

std::string indented(std::string_view text, const std::string& margin) {
  std::string out;
  for (const std::string& line : split(trim(text), '\n')) out += margin + line + "\n";
  return out;
}

std::string files(const std::string& entries) { return "#cloud-config\nwrite_files:\n" + entries; }

Unwrapped open(std::string_view text, const Variables* variables = &kVariables) {
  return unwrap(text, "user-data", variables);
}

// The documents as JSON and what was told, one line each.
std::string opened(std::string_view text) {
  const Unwrapped unwrapped = open(text);
  std::string all = told(unwrapped.errors);
  for (const Document& document : unwrapped.documents) all += (all.empty() ? "" : "\n") + to_json(document.root);
  return all;
}

std::string layers(std::string_view text) { return join(open(text).layers, " > "); }

}  // namespace

TEST_CASE("parse::unwrap passes by what is not for us") {
  static const std::string kRows[] = {
      "",
      " \n\n",
      "#!/bin/bash\ncat > /x <<EOF\napiVersion: kubeadm.k8s.io/v1beta3\nEOF\n",
      "#cloud-config\n",
      "#cloud-config\npackages: [vim]\nwrite_files:\n- {path: /a, content: b}\n- path: /c\n  source: {uri: "
      "\"https://example.com\"}\n",
      "#cloud-config\nwrite_files:\n- path: /s.sh\n  content: |\n    #!/bin/sh\n    echo 'apiVersion: "
      "kubeadm.k8s.io/v1'\n",
      "#cloud-config\nwrite_files:\n- path: /readme\n  content: |\n    See kubeadm.k8s.io/v1beta3: [\n",
      "#cloud-config\nwrite_files:\n- path: /etc/kubernetes/patches/kubelet.yaml\n  content: |\n    apiVersion: "
      "kubelet.config.k8s.io/v1beta1\n    kind: KubeletConfiguration\n",
      "#include\nhttps://example.com/user-data\n",
      "#cloud-boothook\n#!/bin/sh\n",
      "<powershell>\nWrite-Host \"a: [\"\n</powershell>\n",
      "hello world",
      "x: [unclosed\n",
      "Q29ycmVjdEhvcnNlQmF0dGVyeVN0YXBsZQ==",  // text in base64
      "[settings]\nkey = \"value\"\n",
      "{\"ignition\": {\"version\": \"3.4.0\"}, \"storage\": {\"files\": [{\"path\": \"/etc/hostname\", \"contents\": "
      "{\"source\": \"data:,a\"}}]}}",
      "## template: jinja\n#cloud-config\nruncmd:\n- echo {{ unknown.name + 1 }}\n",
  };
  for (const std::string& text : kRows) {
    CAPTURE(text);
    CHECK(opened(text) == "");
  }
}

TEST_CASE("parse::unwrap finds the document in every shape") {
  const std::string content = indented(kJoin, "    ");
  const std::string b64 = base64(kJoin);
  struct Row {
    std::string name;
    std::string text;
    std::string layers;
  };
  const Row kRows[] = {
      {"bare", kJoin, ""},
      {"bare, mark and CRLF", "\xEF\xBB\xBF" + replace_all(kJoin, "\n", "\r\n"), ""},
      {"bare JSON", kJoinJson, ""},
      {"gzip", gzip(kJoin), "gzip"},
      {"base64", base64(kJoin), "base64"},
      {"base64 of gzip", base64(gzip(kJoin)) + "\n", "base64 > gzip"},
      {"template", "## template: jinja\n" + replace_all(kJoin, "name: a", "name: {{ v1.x | default('a') }}"), "jinja"},
      {"write_files", files("- path: /a\n  content: |\n" + content), "cloud-config > write_files[0]"},
      {"write_files, CRLF", replace_all(files("- path: /a\n  content: |\n" + content), "\n", "\r\n"),
       "cloud-config > write_files[0]"},
      {"write_files, quoted", files("- {path: /a, content: \"" + replace_all(kJoin, "\n", "\\n") + "\"}\n"),
       "cloud-config > write_files[0]"},
      {"write_files, b64", files("- path: /a\n  encoding: b64\n  content: " + b64 + "\n"),
       "cloud-config > write_files[0]"},
      {"write_files, base64 in lines",
       files("- path: /a\n  encoding: base64\n  content: |\n    " + b64.substr(0, 40) + "\n    " + b64.substr(40) +
             "\n"),
       "cloud-config > write_files[0]"},
      {"write_files, gz+b64", files("- path: /a\n  encoding: gz+b64\n  content: " + base64(gzip(kJoin)) + "\n"),
       "cloud-config > write_files[0]"},
      {"write_files, GZIP+BASE64",
       files("- path: /a\n  encoding: GZIP+BASE64\n  content: " + base64(gzip(kJoin)) + "\n"),
       "cloud-config > write_files[0]"},
      {"write_files, gzip in !!binary",
       files("- path: /a\n  encoding: gzip\n  content: !!binary " + base64(gzip(kJoin)) + "\n"),
       "cloud-config > write_files[0]"},
      {"write_files, appended",
       files("- {path: /a, content: \"" + replace_all(kJoin.substr(0, 35), "\n", "\\n") +
             "\"}\n- path: /b\n- path: /a\n  append: true\n  content: |\n" + indented(kJoin.substr(35), "    ")),
       "cloud-config > write_files[0]"},
      {"write_files, replaced",
       files("- path: /a\n  content: |\n" + indented(kBroken, "    ") + "- path: /a\n  content: |\n" + content),
       "cloud-config > write_files[1]"},
      {"our key, map", "#cloud-config\nkubejoin:\n" + content, "cloud-config > kubejoin"},
      {"our key, list", "#cloud-config\nkubejoin:\n- " + indented(kJoin, "  ").substr(2), "cloud-config > kubejoin"},
      {"our key, text", "#cloud-config\nkubejoin: |\n" + content, "cloud-config > kubejoin"},
      {"cloud-config-archive",
       "#cloud-config-archive\n- type: text/cloud-config\n  content: |\n    kubejoin:\n" + indented(kJoin, "      ") +
           "- \"#!/bin/sh\"\n",
       "cloud-config-archive > cloud-config > kubejoin"},
      {"Ignition 3",
       "{\"ignition\":{\"version\":\"3.4.0\"},\"storage\":{\"files\":[{\"path\":\"/etc/"
       "kubeadm.yml\",\"contents\":{\"source\":\"data:;base64," +
           b64 + "\"}}]}}",
       "ignition > storage.files[0]"},
      {"Ignition 3, gzip",
       "{\"ignition\":{\"version\":\"3.4.0\"},\"storage\":{\"files\":[{\"path\":\"/"
       "a\",\"contents\":{\"compression\":\"gzip\",\"source\":\"data:;base64," +
           base64(gzip(kJoin)) + "\"}}]}}",
       "ignition > storage.files[0]"},
      {"Ignition 2.3, escaped",
       "{\"ignition\":{\"version\":\"2.3.0\"},\"storage\":{\"files\":[{\"filesystem\":\"root\",\"path\":\"/etc/"
       "kubeadm.yml\",\"mode\":384,\"contents\":{\"source\":\"data:," +
           replace_all(replace_all(kJoin, "\n", "%0A"), " ", "%20") + "\"}}]}}",
       "ignition > storage.files[0]"},
      {"Ignition 3, appended",
       "{\"ignition\":{\"version\":\"3.4.0\"},\"storage\":{\"files\":[{\"path\":\"/"
       "a\",\"append\":[{\"source\":\"data:;base64," +
           base64(kJoin.substr(0, 35)) + "\"},{\"source\":\"data:;base64," + base64(kJoin.substr(35)) + "\"}]}]}}",
       "ignition > storage.files[0].append[0]"},
      {"Ignition 3, merged config",
       "{\"ignition\":{\"version\":\"3.4.0\",\"config\":{\"merge\":[{\"source\":\"data:;base64," +
           base64("{\"ignition\":{\"version\":\"3.0.0\"},\"storage\":{\"files\":[{\"path\":\"/"
                  "a\",\"contents\":{\"source\":\"data:;base64," +
                  b64 + "\"}}]}}") +
           "\"}]}}}",
       "ignition > ignition.config.merge[0] > ignition > storage.files[0]"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CHECK(opened(row.text) == kJoinJson);
    CHECK(layers(row.text) == row.layers);
    CHECK(told(open(row.text).warnings) == "");
  }
}

TEST_CASE("parse::unwrap reads what Cluster API writes") {
  const Unwrapped unwrapped = open(kClusterApi);
  CHECK(told(unwrapped.errors) == "");  // the unsupported template stands in somebody else's file
  REQUIRE(unwrapped.documents.size() == 1);
  CHECK(
      to_json(unwrapped.documents[0].root) ==
      R"({"apiVersion":"kubeadm.k8s.io/v1beta3","kind":"JoinConfiguration","nodeRegistration":{"name":"node-7.internal"}})");
  CHECK(join(unwrapped.layers, " > ") == "jinja > cloud-config > write_files[0]");
  const Place place = unwrapped.documents[0].place(unwrapped.documents[0].root.at("/nodeRegistration/name")->mark);
  CHECK(place.part == "write_files[0]");
  CHECK(place.line == 13);
  CHECK(place.column == 15);
  CHECK(place.text == "        name: 'node-7.internal'");

  const Unwrapped laptop = open(kClusterApi, nullptr);
  CHECK(told(laptop.errors) == "");
  CHECK(laptop.documents.at(0).root.at("/nodeRegistration/name")->text == "{{ ds.meta_data.local_hostname }}");

  const Unwrapped packed = open(gzip(kClusterApi));
  CHECK(join(packed.layers, " > ") == "gzip > jinja > cloud-config > write_files[0]");

  const Unwrapped unknown = open(replace_all(kClusterApi, "local_hostname", "local_hostnam"));
  CHECK(told(unknown.errors) ==
        "13:16 jinja.unknown-name this instance's metadata has no \"ds.meta_data.local_hostnam\"");
}

TEST_CASE("parse::unwrap takes other documents along with a join document, in the user's order") {
  const std::string stream = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n---\n" + kJoin +
                             "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
  const auto kinds = [](std::string_view text) {
    std::string all;
    for (const Document& document : open(text).documents) all += document.kind() + " ";
    return all;
  };
  CHECK(kinds(stream) == "ClusterConfiguration JoinConfiguration KubeletConfiguration ");
  CHECK(kinds(files("- path: /a\n  content: |\n" + indented(stream, "    ")) +
              "kubejoin:\n- {apiVersion: kubejoin/v1alpha1, kind: FirstBoot}\n- |\n" + indented(kJoin, "  ")) ==
        "FirstBoot JoinConfiguration ClusterConfiguration JoinConfiguration KubeletConfiguration ");
  CHECK(kinds("apiVersion: v1\nkind: Pod\n") == "");
  CHECK(open("# kubeadm.k8s.io/v1beta4\ndiscovery: {}\n").documents.size() == 1);  // … here too
}

TEST_CASE("parse::unwrap places a mistake in the user's own text") {
  struct Row {
    std::string name;
    std::string text;
    std::string told;
  };
  const std::string content = indented(kBroken, "      ");
  const Row kRows[] = {
      {"bare", "\n" + kBroken, "4:1" + kTwice + "3)"},
      {"literal block", files("- path: /a\n  content: |  # a join\n" + content),
       "7:7 (write_files[0])" + kTwice + "6)"},
      {"literal block with a tag, blank lines, more indented first",
       files("- path: /a\n  content: !!str |-\n\n\n" + content), "9:7 (write_files[0])" + kTwice + "8)"},
      {"literal block, indentation given", files("- path: /a\n  content: |4\n" + content),
       "7:7 (write_files[0])" + kTwice + "6)"},
      {"folded: lines are lost", files("- path: /a\n  content: >\n" + replace_all(content, "\n", "\n\n")),
       "3:1 (write_files[0], decoded)" + kTwice + "2)"},
      {"encoded", files("- path: /a\n  encoding: b64\n  content: " + base64(kBroken) + "\n"),
       "3:1 (write_files[0], decoded)" + kTwice + "2)"},
      {"our key", "#cloud-config\nkubejoin:\n" + content, "5:7" + kTwice + "4)"},
      {"our key, text", "#cloud-config\nkubejoin:\n- |\n" + content, "6:7 (kubejoin[0])" + kTwice + "5)"},
      {"template", "## template: jinja\n#cloud-config\n{# a\n comment #}\nkubejoin: |\n" + content,
       "8:7 (kubejoin)" + kTwice + "7)"},
      {"gzip", gzip("#cloud-config\nkubejoin: |\n" + content), "5:7 (kubejoin)" + kTwice + "4)"},
      {"cloud-config itself, with a document of ours", "#cloud-config\nwrite_files:\n\t- path: /a\n\t  content: |\n\t    apiVersion: kubeadm.k8s.io/v1beta4\n",
       "3:1 yaml.tab a tab in the indentation"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CHECK(told(open(row.text).errors) == row.told);
    if (row.name != "gzip") CHECK(told(open(replace_all(row.text, "\n", "\r\n")).errors) == row.told);
  }
}

TEST_CASE("parse::unwrap says what is wrong with an envelope") {
  const std::string zipped = gzip(kJoin);
  const std::string b64 = base64(zipped);
  struct Row {
    std::string name;
    std::string text;
    std::string told;
  };
  const Row kRows[] = {
      {"truncated gzip", zipped.substr(0, 60),
       "0:0 gzip.broken unable to unpack gzip data: it is truncated after 60 bytes"},
      {"gzip and more", zipped + "x", "0:0 gzip.broken unable to unpack gzip data: other data follows its end"},
      {"damaged gzip", zipped.substr(0, 10) + "\xFF\xFF\xFF" + zipped.substr(13),
       "0:0 gzip.broken unable to unpack gzip data: invalid block type"},
      {"bomb", gzip(std::string(11 << 20, 'x')),
       "0:0 gzip.too-large the data is larger after unpacking than the 10 MiB that kubejoin reads"},
      {"large", std::string((10 << 20) + 1, '\n'),
       "0:0 envelope.too-large the data has 10485761 bytes, more than the 10 MiB that kubejoin reads"},
      {"UTF-16", std::string("\xFF\xFE#\0c\0", 6), "1:1 envelope.encoding the text is UTF-16"},
      {"unknown encoding", files("- path: /kubeadm\n  encoding: base46\n  content: x\n"),
       "4:13 cloud-config.encoding unknown encoding \"base46\" in write_files[0]: the content is taken as it is"},
      {"bad base64", files("- path: /a\n- path: /b\n- path: /kubeadm\n  encoding: b64\n  content: 'a%'\n"),
       "7:12 cloud-config.base64 unable to decode write_files[2]: its content is no base64"},
      {"gzip cut off", files("- path: /kubeadm\n  encoding: gz+b64\n  content: " + b64.substr(0, 64) + "\n"),
       "5:12 gzip.broken unable to read write_files[0]: unable to unpack gzip data: it is truncated after 48 bytes"},
      {"map for a text", files("- path: /kubeadm.yaml\n  content:\n    apiVersion: kubeadm.k8s.io/v1beta3\n"),
       "5:5 cloud-config.content the content of write_files[0] must be a text, not a map"},
      {"no list", "#cloud-config\nwrite_files: {path: /a, content: \"apiVersion: kubeadm.k8s.io/v1beta4\"}\n",
       "2:14 cloud-config.write-files write_files must be a list"},
      {"our key, a number", "#cloud-config\nkubejoin: 1\n",
       "2:11 cloud-config.kubejoin kubejoin must hold a document, a list of documents, or a text"},
      {"our key, words", "#cloud-config\nkubejoin: yes please\n",
       "2:11 (kubejoin) envelope.document a document must be a map"},
      {"other template", "## template: mako\napiVersion: kubejoin/v1alpha1\n", "1:1 jinja.type unknown template type \"mako\""},
      {"Ignition, damaged URL",
       "{\"ignition\": {\"version\": \"3.4.0\"},\n\"storage\": {\"files\": [{\"path\": \"/etc/kubeadm.yml\", "
       "\"contents\": {\"source\": \"data:;base64,%\"}}]}}",
       "2:75 ignition.source unable to decode storage.files[0]: its data: URL is damaged"},
      {"Ignition, compression",
       "{\"ignition\": {\"version\": \"3.4.0\"},\n\"storage\": {\"files\": [{\"path\": \"/etc/kubeadm.yml\", "
       "\"contents\": {\"source\": \"data:,a\", \"compression\": \"xz\"}}]}}",
       "2:75 ignition.compression unknown compression \"xz\" of storage.files[0]"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CHECK(opened(row.text) == row.told);
  }
  std::string nested = kJoin;
  for (int i = 0; i < 12; ++i) nested = gzip(nested);
  CHECK(told(open(nested).errors).find("envelope.too-deep") != std::string::npos);
}

TEST_CASE("parse::unwrap: what is not ours cannot stop us") {
  const std::string join = "- path: /etc/kubeadm.yml\n  content: |\n" + indented(kJoin, "    ");
  const std::string mime = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/cloud-config\n\n" + files(join) + "--b\n";
  struct Row {
    std::string name;
    std::string text;
    std::string warnings;  // ids
  };
  const Row kRows[] = {
      {"bad base64", files(join + "- {path: /b, encoding: b64, content: 'a%'}\n"), "cloud-config.base64"},
      {"bad base64 where kubeadm looks", files(join + "- {path: /etc/kubernetes/b, encoding: b64, content: 'a%'}\n"), "cloud-config.base64"},
      {"unknown encoding", files(join + "- {path: /c, encoding: bz2, content: x}\n"), "cloud-config.encoding"},
      {"a text for an entry", files(join + "- words\n"), "cloud-config.write-files"},
      {"no text for a content", files(join + "- {path: /c, content: [x]}\n"), "cloud-config.content"},
      {"a key twice", files(join) + "runcmd: [a]\nruncmd: [b]\n", "yaml.duplicate-key"},
      {"a key twice in an entry", files(join + "- {path: /c, path: /d, content: x}\n"), "yaml.duplicate-key"},
      {"elsewhere", files(join + "- {path: /c, source: {uri: 'https://example.com/c?sig=x'}}\n"), "envelope.elsewhere"},
      {"another cloud-config broken", mime + "Content-Type: text/cloud-config\n\n#cloud-config\npackages: [a\n--b--\n", "yaml.unclosed"},
      {"another cloud-config is a list", mime + "Content-Type: text/cloud-config\n\n- a\n--b--\n", "cloud-config.map"},
      {"another part without a blank line", mime + "Content-Type: text/x-shellscript\n#!/bin/sh\n--b--\n", "mime.header"},
      {"another part's encoding", mime + "Content-Type: text/x-shellscript\nContent-Transfer-Encoding: bas64\n\nx\n--b--\n", "mime.encoding"},
      {"another part's gzip", mime + "Content-Type: application/gzip\n\n\x1f\x8b\x08\n--b--\n", "gzip.broken"},
      {"an include", mime + "Content-Type: text/x-include-url\n\nhttps://example.com/x\n--b--\n", "envelope.elsewhere"},
      {"a JSON patch", mime + "Content-Type: text/cloud-config-jsonp\n\n[]\n--b--\n", "cloud-config.jsonp"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    const Unwrapped unwrapped = open(row.text);
    CHECK(told(unwrapped.errors) == "");
    CHECK(unwrapped.unread.empty());
    REQUIRE(unwrapped.documents.size() == 1);
    CHECK(to_json(unwrapped.documents[0].root) == kJoinJson);
    std::string ids;
    for (const Error& warning : unwrapped.warnings) ids += (ids.empty() ? "" : " ") + warning.id;
    CHECK(ids == row.warnings);
  }
  // Where nothing of ours is found, what was not read is told apart.
  CHECK(open(files("- {path: /b, encoding: b64, content: 'a%'}\n")).unread.size() == 1);
  CHECK(open(files("- {path: /etc/kubeadm.yml, encoding: b64, content: 'a%'}\n")).errors.size() == 1);
  CHECK(told(open("#include-once\n# a comment\nhttps://example.com/a\n#include https://u:p@example.com/b?c\n").unread) ==
        "3:1 envelope.elsewhere #include comes from https://example.com/a, which is not read here\n"
        "4:1 envelope.elsewhere #include comes from https://example.com/b, which is not read here");
}

TEST_CASE("parse::unwrap merges cloud-configs as cloud-init does") {
  const auto part = [](const std::string& header, const std::string& text) { return "--b\nContent-Type: text/cloud-config\n" + header + "\n#cloud-config\n" + text; };
  const auto mime = [](const std::string& parts) { return "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + "--b--\n"; };
  const std::string join = "write_files:\n- path: /k\n  content: |\n" + indented(kJoin, "    ");
  const std::string other = "write_files:\n- {path: /o, content: x}\n";
  const std::string append = "merge_how: 'list(append)+dict(recurse_array)+str()'\n";
  struct Row {
    std::string name;
    std::string text;
    bool found;
  };
  const Row kRows[] = {
      {"a later list replaces", mime(part("", join) + part("", other)), false},
      {"a later document replaces", mime(part("", other) + part("", join)), true},
      {"other keys do not", mime(part("", join) + part("", "runcmd: [a]\n")), true},
      {"merge_how", mime(part("", join) + part("", append + other)), true},
      {"merge_type", mime(part("", join) + part("", "merge_type: 'list(append)+dict(no_replace,recurse_list)'\n" + other)), true},
      {"merge_how, a list", mime(part("", join) + part("", "merge_how:\n- {name: list, settings: [append]}\n- {name: dict, settings: [no_replace, recurse_list]}\n" + other)), true},
      {"Merge-Type", mime(part("", join) + part("Merge-Type: list(append)+dict(recurse_array)+str()\n", other)), true},
      {"X-Merge-Type", mime(part("", join) + part("X-Merge-Type: list(prepend)+dict(recurse_array)+str()\n", other)), true},
      {"the earlier stays", mime(part("", other) + part("", "merge_how: dict()\n" + join)), false},
      {"list alone merges nothing", mime(part("", "a: b\n") + part("", "merge_how: list(append)\n" + join)), false},
      {"by index", mime(part("", other) + part("", "merge_how: dict(recurse_array)+list()\n" + join)), true},
      {"a key twice: the last", "#cloud-config\n" + other + join, true},
      {"a key twice: the first", "#cloud-config\n" + join + other, false},
      {"deferred comes last", "#cloud-config\nwrite_files:\n- path: /k\n  defer: true\n  content: |\n" + indented(kJoin, "    ") + "- {path: /k, content: x}\n", true},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    const Unwrapped unwrapped = open(row.text);
    CHECK(told(unwrapped.errors) == "");
    CHECK(unwrapped.documents.size() == (row.found ? 1 : 0));
    if (!row.found) {
      REQUIRE(unwrapped.unread.size() == 1);
      CHECK(unwrapped.unread[0].id == "cloud-config.lost");
    }
  }
  CHECK(told(open(kRows[0].text).unread) ==
        "9:3 (part 1) cloud-config.lost the document of write_files[0] is lost in cloud-init's merge: write_files of part 2, line 19 replaces it");
  const Unwrapped both = open(mime(part("", join) + part("", replace_all(join, "/k", "/l"))));
  CHECK(both.documents.size() == 1);
  CHECK(both.warnings.size() == 1);
}

TEST_CASE("parse::unwrap knows cloud-init's beginnings") {
  const std::string key = "kubejoin:\n" + indented(kJoin, "  ");
  CHECK(opened("#Cloud-Config\n" + key) == kJoinJson);
  CHECK(opened("\n  #CLOUD-CONFIG v1\n" + key) == kJoinJson);
  CHECK(opened("#! cloud-config\n" + key) == "");
  CHECK(open("#! cloud-config\n" + key).scripts.size() == 1);
  const auto archived = [&](const std::string& item) { return opened("#cloud-config-archive\n- " + item); };
  CHECK(archived("content: |\n" + indented(key, "    ")) == kJoinJson);  // without a type it is a cloud-config
  CHECK(archived("|\n" + indented(key, "    ")) == kJoinJson);
  CHECK(archived("type: text/plain\n  content: |\n    #cloud-config\n" + indented(key, "    ")) == kJoinJson);
}

TEST_CASE("parse::unwrap reads what a file of this machine holds where the user-data points to it") {
  const LocalFile local = [](const std::string& path) { return path == "/etc/secret-userdata.txt" ? std::optional("#cloud-config\nkubejoin:\n" + indented(kJoin, "  ")) : std::nullopt; };
  const Unwrapped read = unwrap("#include\nfile:///etc/secret-userdata.txt\n", "user-data", nullptr, {}, local);
  REQUIRE(read.documents.size() == 1);
  CHECK(read.documents[0].source->file == "/etc/secret-userdata.txt");
  const Unwrapped absent = unwrap("#include\nfile:///etc/other\n", "user-data", nullptr, {}, local);
  CHECK(told(absent.unread) == "2:1 envelope.elsewhere #include comes from file:///etc/other, which is not read here: there is no such file yet");
}

TEST_CASE("parse::unwrap names what is for others") {
  struct Row {
    std::string text;
    std::string whom;
  };
  const Row kRows[] = {
      {"apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n", "nodeadm (Amazon EKS): NodeConfig"},
      {"apiVersion: v1\nkind: Pod\n", "a Kubernetes API server: Pod (v1)"},
      {"apiVersion: bootstrap.cluster.x-k8s.io/v1beta1\nkind: KubeadmConfig\n", "the controllers of Cluster API: KubeadmConfig"},
      {"version: v1alpha1\nmachine: {}\n", "Talos: a machine configuration"},
      {"apiVersion: v1alpha1\nkind: HostnameConfig\n", "Talos: HostnameConfig"},
      {"variant: fcos\nversion: 1.5.0\n", "Butane, which makes Ignition of it: variant fcos"},
      {"server: https://a:6443\ntoken: x\n", "k3s or RKE2: its configuration"},
      {"systemd: {units: []}\n", "Container Linux: its configuration"},
      {"#!/bin/bash\n/etc/eks/bootstrap.sh demo\n", "Amazon EKS: its bootstrap.sh"},
      {"#!/bin/sh\ncurl -sfL https://get.k3s.io | sh -\n", "k3s: its install script"},
      {"[settings.kubernetes]\ncluster-name = 'x'\n", "Bottlerocket: its settings"},
      {"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/node.eks.aws\n\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n--b--\n",
       "nodeadm (Amazon EKS): NodeConfig"},
      {files("- {path: /etc/rancher/rke2/config.yaml, content: x}\n"), "k3s or RKE2: /etc/rancher/rke2/config.yaml"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    const Unwrapped unwrapped = open(row.text);
    CHECK(unwrapped.documents.empty());
    CHECK(told(unwrapped.errors) == "");
    REQUIRE(unwrapped.foreign.size() == 1);
    CHECK(unwrapped.foreign[0].whom == row.whom);
  }
  for (const char* ours : {"apiVersion: kubadm.k8s.io/v1beta4\nkind: X\n", "kind: JoinConfigration\n", "apiVersion: kubeadm.k8s.io/v9\nkind: InitConfiguration\n"})
    CHECK_MESSAGE(open(ours).documents.size() == 1, ours);
}

TEST_CASE("parse::looks_like") {
  static const std::pair<const char*, const char*> kRows[] = {
      {"", "empty"},
      {" \n", "empty"},
      {"#!/bin/bash\n", "a shell script, which cloud-init runs"},
      {"#!/usr/bin/python3\n", "a script, which cloud-init runs"},
      {"<!DOCTYPE html>\n<title>Sign in</title>", "HTML: the page of a proxy, or of a login"},
      {"<?xml version=\"1.0\"?>", "XML"},
      {"-----BEGIN RSA PRIVATE KEY-----\nMII", "a private key"},
      {"-----BEGIN CERTIFICATE-----\nMII", "a certificate"},
      {"kubeadm join 10.0.0.1:6443 --token x", "a pasted command line"},
      {"sudo kubeadm join 10.0.0.1:6443", "a pasted command line"},
      {"{\"a\": 1}", "JSON of something else"},
      {"#cloud-config\npackages: [vim]\n", "a cloud-config without a document of ours"},
      {"--b\nContent-Type: text/cloud-config\n", "a MIME multipart without its head"},
      {"apiVersion: v1\nclusters: []\ncontexts: []\n", "a kubeconfig"},
      {"discovery:\n  bootstrapToken: {}\n", "a JoinConfiguration without its head"},
      {"runcmd: [a]\n", "a cloud-config without its first line"},
      {"YXBpVmVyc2lvbjoga3ViZWFkbS5rOHMuaW8vdjFiZXRhNAp\nraW5kOiBKb2luQ29uZm*ndXJhdGlvbgpkaXNjb3Zlcnk6", "base64 but for \"*\" at 2:20"},
      {"hello", ""},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.first);
    CHECK(looks_like(row.first).what == row.second);
    CHECK(!looks_like(row.first).hint.empty());
  }
}

TEST_CASE("parse::unwrap collects what would be run, each with its place") {
  const std::string text =
      "#cloud-config\n"
      "bootcmd:\n"
      "- modprobe x\n"
      "runcmd:\n"
      "- [kubeadm, join, \"10.0.0.1:6443\"]\n"
      "- 'kubeadm join --config /é'  # a comment\n"
      "- \"é\": x\n"
      "- |\n"
      "  kubeadm join \\\n"
      "    --token x\n"
      "- \"a\\tb\"\n"
      "- null\n"
      "- >\n"
      "  kubeadm\n"
      "  join\n"
      "write_files:\n"
      "- path: /usr/local/bin/join.sh\n"
      "  content: |\n"
      "    #!/bin/sh\n"
      "    kubeadm join\n";
  const auto list = [](std::string_view of) {
    std::string all;
    for (const Script& script : open(of).scripts) {
      const Source& s = *script.source;
      all += script.name + " (" + s.part + ") ";
      if (script.argv.empty()) all += std::to_string(s.first_line) + ":" + std::to_string(s.first_column) + " " + replace_all(s.text, "\n", "$") + "\n";
      for (const Value& word : script.argv) all += std::to_string(word.mark.line) + ":" + std::to_string(word.mark.column) + " " + word.text + (&word == &script.argv.back() ? "\n" : ", ");
    }
    return all;
  };
  CHECK(list(text) ==
        "bootcmd[0] (bootcmd[0]) 3:3 modprobe x\n"
        "runcmd[0] () 5:4 kubeadm, 5:13 join, 5:19 10.0.0.1:6443\n"
        "runcmd[1] (runcmd[1]) 6:4 kubeadm join --config /é\n"
        "runcmd[3] (runcmd[3]) 9:3 kubeadm join \\$  --token x$\n"
        "runcmd[4] () 11:3 a\tb\n"
        "runcmd[6] () 13:3 kubeadm join\n\n"
        "write_files[0] /usr/local/bin/join.sh (write_files[0]) 19:5 #!/bin/sh$kubeadm join$\n");
  CHECK(list("#!/bin/sh\nkubeadm join\n") == "user-data () 1:1 #!/bin/sh$kubeadm join$\n");
  CHECK(list("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--b\n"
             "Content-Type: text/cloud-boothook\n\n#cloud-boothook\nx\n--b\nContent-Type: text/plain\n\n#! cloud-config\n--b--\n") ==
        "part 1 (part 1) 7:1 #!/bin/sh\npart 2 (part 2) 11:1 #cloud-boothook$x\npart 3 (part 3) 16:1 #! cloud-config\n");
}

TEST_CASE("parse::unwrap warns of what cloud-init would not do") {
  const auto warned = [](std::string_view text) {
    const Unwrapped unwrapped = open(text);
    CHECK(unwrapped.errors.empty());
    return told(unwrapped.warnings);
  };
  CHECK(warned("write_files:\n- path: /a\n  content: |\n" + indented(kJoin, "    ")) ==
        "1:1 cloud-config.header a cloud-config without its first line: cloud-init will ignore it");
  CHECK(warned("#cloud-config\nkubejion:\n  kind: FirstBoot\n") == "2:1 cloud-config.key unknown key \"kubejion\"");
  CHECK(told(open("{\"ignition\":{\"version\":\"3.4.0\"},\"storage\":{\"files\":[{\"path\":\"/etc/"
                  "kubeadm.yml\",\"contents\":{\"source\":\"https://example.com/a\"}}]}}").unread) ==
        "1:101 envelope.elsewhere storage.files[0] (/etc/kubeadm.yml) comes from https://example.com/a, which is not read here");
  CHECK(told(open(std::string(61, 'A')).errors) == "1:1 envelope.base64 the data looks like base64, but does not decode");
}
