// Command lines of scripts: what is told of them, where, and what is left alone.
#include "config/command_line.h"

#include "base/text.h"
#include "config/user_data.h"
#include "loading.h"

using namespace kubejoin;
using namespace kubejoin::config;

namespace {

#define PIN "sha256:8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4"
#define TOKEN "abcdef.0123456789abcdef"
#define PINNED " --discovery-token-ca-cert-hash " PIN
#define GOOD "10.0.0.1:6443 --token " TOKEN PINNED

CommandLines judged(const std::string& text) {
  UserData read = read_user_data(text, "user-data", nullptr, {}, {.hostname = "host-1"});
  CHECK(ids(read.loaded.errors) == "");
  return std::move(read.commands);
}
CommandLines script(const std::string& text) { return judged("#!/bin/bash\n" + text + "\n"); }
CommandLines runcmd(const std::string& text) { return judged("#cloud-config\nruncmd:\n" + text + "\n"); }

// "2:14 config.token", one a line.
std::string told(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& e : errors)
    text += (text.empty() ? "" : "\n") + std::to_string(e.place.line) + ":" + std::to_string(e.place.column) + " " + e.id;
  return text;
}
std::string told(const CommandLines& lines) {
  CHECK(told(lines.warnings) == "");
  return told(lines.errors);
}

}  // namespace

TEST_CASE("config::judge_scripts: lines that are right") {
  for (const char* text : {
           "kubeadm join " GOOD,
           "sudo -E /usr/bin/kubeadm join --token=" TOKEN " --discovery-token-ca-cert-hash=" PIN " 10.0.0.1:6443 -v5 --v 5 --node-name \"$(hostname -f)\"",
           "kubeadm -v=5 join " GOOD " --ignore-preflight-errors=Swap,SystemVerification --cri-socket unix:///run/crio/crio.sock > /var/log/join 2>&1",
           "timeout -k 120s 120s kubeadm join " GOOD " || kubeadm join " GOOD,
           "until kubeadm join " GOOD "; do sleep 5; done",
           "kubeadm join --token 123456.1234567890123456 --discovery-token-unsafe-skip-ca-verification=true --discovery-token-ca-cert-hash " PIN " 10.0.0.1:6443",
           "su - root -c 'kubeadm join " GOOD "'",
           "retry 5 'sudo kubeadm join " GOOD "'",
           "kubejoin join " GOOD " --wait ready",
           "kubeadm join --discovery-file /etc/kubernetes/cluster-info.yaml --tls-bootstrap-token " TOKEN,
           "kubeadm join --config=/etc/kubeadm.yaml --node-name x --ignore-preflight-errors=all",
           "kubeadm join --config \"$F\" --skip-phases=preflight",
           "kubeadm join $EP --token $TOKEN --discovery-token-ca-cert-hash sha256:$HASH",
           "kubeadm join ${IP}:${PORT} --token ${TOKEN} --discovery-token-ca-cert-hash $(cat /pin)",
           "kubeadm join $JOIN_ARGS",
           "kubeadm join \"$@\"",
           "kubeadm join " GOOD " $EXTRA",
           "A=10.0.0.1 T=" TOKEN "\nkubeadm join $A:6443 --token $T" PINNED,
           "T=x\nread T\nkubeadm join 10.0.0.1:6443 --token $T" PINNED,
           "T=\n. /etc/join.env\nkubeadm join 10.0.0.1:6443 --token $T" PINNED,
           "if x; then T=x; fi; kubeadm join 10.0.0.1:6443 --token $T" PINNED,
           "kubeadm join {{ endpoint }} --token {{ token }} --discovery-token-ca-cert-hash {{ hash }}",
           "OUT=$(kubeadm join " GOOD " 2>&1)",
       }) {
    CAPTURE(text);
    const CommandLines lines = script(text);
    INFO(whole_text(lines.errors) << whole_text(lines.warnings));
    CHECK(lines.errors.empty());
    CHECK(!lines.joins.empty());
  }
}

TEST_CASE("config::judge_scripts: what is no join") {
  for (const char* text : {"echo kubeadm join x", "# kubeadm join x", "kubeadm init", "kubeadm token create --print-join-command", "log \"run kubeadm join x\"",
                           "grep kubeadm join.log", "cat <<EOF >/etc/motd\nkubeadm join x\nEOF", "command -v kubeadm && join a b", "kubectl join x",
                           "ssh node1 kubeadm join x", "which kubeadm", "kubeadm reset -f", "kubeadm version"}) {
    CAPTURE(text);
    const CommandLines lines = script(text);
    CHECK(told(lines) == "");
    CHECK(lines.joins.empty());
  }
}

TEST_CASE("config::judge_scripts: mistakes, each once, at the user's own place") {
  struct Row {
    const char* text;
    const char* errors;
  };
  const Row rows[] = {
      {"kubeadm join 10.0.0.1 --token " TOKEN PINNED, "2:14 config.endpoint"},
      {"kubeadm join 10.0.0.1:6443 --token abcdef.0123 " PINNED, "2:36 config.token"},
      {"kubeadm join 10.0.0.1:6443 --token=abcdef.0123 " PINNED, "2:36 config.token"},
      {"kubeadm join 10.0.0.1:6443 --token " TOKEN " --discovery-token-ca-cert-hash 8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4", "2:91 config.pin"},
      {"kubeadm join 10.0.0.1:6443 --token " TOKEN, "2:9 config.pins-missing"},
      {"kubeadm join --token " TOKEN PINNED, "2:9 config.discovery-missing"},
      {"kubeadm join 10.0.0.1:6443" PINNED, "2:9 config.token-missing"},
      {"kubeadm join", "2:9 config.discovery-missing"},
      {"kubeadm join 10.0.0.1:6443 --tokn " TOKEN PINNED, "2:28 command.unknown-flag"},
      {"kubeadm join 10.0.0.1:6443 --token " TOKEN " --discovery-token-ca-cert-hashes " PIN, "2:60 command.unknown-flag"},
      {"kubeadm join 10.0.0.1:6443 -token " TOKEN PINNED, "2:28 command.unknown-flag"},
      {"kubeadm join " GOOD " --wait ready", "2:163 command.unknown-flag"},
      {"kubeadm join 10.0.0.1:6443 --token" PINNED, "2:28 command.missing-value"},
      {"kubeadm join " GOOD " --node-name", "2:163 command.missing-value"},
      {"kubeadm join 10.0.0.1:6443 token " TOKEN PINNED, "2:28 command.too-many-arguments"},
      {"kubadm join " GOOD, "2:1 command.unknown-program"},
      {"kubeadm jion " GOOD, "2:9 command.unknown-command"},
      {"kubeadm join 10.0.0.1:6443 \xE2\x80\x93token " TOKEN PINNED, "2:28 command.character"},
      {"kubeadm join 10.0.0.1:6443 \xE2\x80\x94token " TOKEN " \xE2\x80\x94" "discovery-token-ca-cert-hash " PIN, "2:28 command.character"},
      {"kubeadm join 10.0.0.1:6443 --token \xE2\x80\x9C" TOKEN "\xE2\x80\x9D" PINNED, "2:36 command.character"},
      {"kubeadm join\xC2\xA0" GOOD, "2:13 command.character"},
      {"kubeadm join 10.0.0.1:6443 --token " TOKEN " \\ \n " PINNED, "2:61 command.continuation"},
      {"kubeadm join 10.0.0.1:6443 --token " TOKEN "\n " PINNED, "3:3 command.continuation"},
      {"kubeadm join <host>:<port> --token <token> --discovery-token-ca-cert-hash sha256:<hash>", "2:14 config.placeholder"},
      {"kubeadm join --config /a --token " TOKEN, "2:9 config.mixed-flags"},
      {"kubeadm join " GOOD " --node-name A_B", "2:175 config.node-name"},
      {"kubeadm join " GOOD " --dry-run=yes", "2:173 command.not-a-bool"},
      {"T=abcdef.0123\nkubeadm join 10.0.0.1:6443 --token $T" PINNED, "2:3 config.token"},
      {"export EP=10.0.0.1\nkubeadm join \"$EP\" --token $T" PINNED, "2:11 config.endpoint"},
      {"kubeadm join 10.0.0.1:6443 --token '$T'" PINNED, "2:37 command.not-expanded"},
      {"bash -c \"kubeadm join 10.0.0.1 --token $T" PINNED "\"", "2:23 config.endpoint"},
      {"CMD='kubeadm join 10.0.0.1 --token " TOKEN PINNED "'", "2:19 config.endpoint"},
      {"kubeadm join https://10.0.0.1:6443 --token $T" PINNED, "2:14 config.endpoint"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const CommandLines lines = script(row.text);
    INFO(whole_text(lines.errors));
    CHECK(told(lines.errors) == row.errors);
    CHECK(whole_text(lines.errors).find("0123456789abcdef") == std::string::npos);
    for (const auto& join : lines.joins) CHECK(join.text.find("0123") == std::string::npos);
  }
}

TEST_CASE("config::judge_scripts: the forms of runcmd") {
  CHECK(told(runcmd("- [kubeadm, join, '10.0.0.1', --token, " TOKEN ", --discovery-token-ca-cert-hash, " PIN "]")) == "3:20 config.endpoint");
  CHECK(told(runcmd("- [kubeadm, join, $EP, --token, " TOKEN ", --discovery-token-ca-cert-hash, " PIN "]")) == "3:19 command.not-expanded");
  CHECK(told(runcmd("- ['kubeadm join " GOOD "']")) == "3:5 command.one-word");
  CHECK(told(runcmd("- [sh, -c, \"kubeadm join 10.0.0.1 --token $T" PINNED "\"]")) == "3:26 config.endpoint");
  CHECK(told(runcmd("- kubeadm join 10.0.0.1\n  --token " TOKEN "\n  --discovery-token-ca-cert-hash x")) == "3:16 config.endpoint\n5:34 config.pin");
  CHECK(told(runcmd("- kubeadm join 10.0.0.1:6443 \\\n  --token " TOKEN " \\\n " PINNED)) == "3:30 command.continuation");
  CHECK(told(runcmd("- >-\n  kubeadm join\n  10.0.0.1\n  --token " TOKEN " " PINNED)) == "5:3 config.endpoint");
  CHECK(told(runcmd("- |\n  kubeadm join 10.0.0.1 \\\n    --token " TOKEN " \\\n  " PINNED)) == "4:16 config.endpoint");
  CHECK(told(runcmd("- kubeadm join 10.0.0.1:6443 --token " TOKEN "\n- --discovery-token-ca-cert-hash " PIN)) == "4:3 command.continuation");
  CHECK(told(judged("#cloud-config\nbootcmd: [ [ cloud-init-per, once, j, kubeadm, join, '10.0.0.1', --token, " TOKEN ", --discovery-token-unsafe-skip-ca-verification ] ]\n").errors) ==
        "2:55 config.endpoint");
}

TEST_CASE("config::judge_scripts: a document that a script writes") {
  const std::string kDocument =
      "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n    token: $TOKEN\n    apiServerEndpoint: \"${EP}\"\n    caCertHashes: [$PIN]\n";
  CHECK(told(script("cat > /j.yaml <<EOF\n" + kDocument + "EOF\nkubeadm join --config /j.yaml")) == "");
  CHECK(told(script("cat <<-EOF | sudo tee /j.yaml\n" + replace_all("\t" + kDocument.substr(0, kDocument.size() - 1), "\n", "\n\t") + "\n\tEOF\n")) == "");
  CHECK(told(script("cat > /j.yaml <<EOF\n" + replace_all(kDocument, "caCertHashes", "caCertHashs") + "EOF\n")) == "9:5 schema.unknown-field");
  CHECK(told(script("cat > /j.yaml <<EOF\n" + replace_all(kDocument, "\"${EP}\"", "10.0.0.1") + "EOF\n")) == "8:24 config.endpoint");
  CHECK(told(runcmd("- |\n  cat > /j.yaml <<EOF\n  " + replace_all(replace_all(kDocument, "\"${EP}\"", "10.0.0.1"), "\n", "\n  ") + "EOF\n")) == "10:26 config.endpoint");
  CHECK(told(script("echo '" + replace_all(replace_all(replace_all(kDocument, "\"${EP}\"", "10.0.0.1"), "$TOKEN", TOKEN), "$PIN", PIN) + "' > /j.yaml\n")) == "7:24 config.endpoint");
  // Somebody else's, or one that is filled in later.
  CHECK(told(script("cat > /i.yaml <<EOF\napiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nfoo: 1\nEOF\nkubeadm init --config /i.yaml")) == "");
  CHECK(told(script("cat > /t.yaml <<'EOF'\n" + kDocument + "EOF\nenvsubst < /t.yaml > /j.yaml")) == "");
  CHECK(told(script("cat > /j.yaml <<'EOF'\n" + replace_all(kDocument, "$TOKEN", "__T__") + "EOF\nsed -i s/__T__/x/ /j.yaml")) == "");
}

TEST_CASE("config::judge_scripts: what else is said") {
  const CommandLines near = runcmd("- cat <<E >/etc/kubeadm-join.yaml\n- kubeadm join --config /etc/kubeadm-jion.yaml\nwrite_files: [{path: /etc/kubeadm-join.yaml, content: x}]");
  CHECK(told(near.errors) == "");
  REQUIRE(near.warnings.size() == 1);
  CHECK(near.warnings[0].hint == "did you mean /etc/kubeadm-join.yaml?");
  const CommandLines other = script("kubeadm join " GOOD " --control-plane --foo");
  REQUIRE(other.joins.size() == 1);
  CHECK(other.joins[0].for_control_plane);
  const CommandLines named = script("x\nkubeadm join $EP:6443 --token ${TOKEN}" PINNED " --node-name $(hostname)");
  REQUIRE(named.joins.size() == 1);
  CHECK(join(named.joins[0].variables, " ") == "EP TOKEN");
  CHECK(sentence(named.joins[0]) == "a script joins by itself: kubeadm join $EP:6443 … (line 3)");
  CHECK(sentence(runcmd("- kubeadm join " GOOD).joins[0]) == "runcmd[0] joins by itself: kubeadm join 10.0.0.1:6443 … (line 3)");
  CHECK(script("kubeadm join " TOKEN " --token " TOKEN).joins[0].text == "kubeadm join …");
}
