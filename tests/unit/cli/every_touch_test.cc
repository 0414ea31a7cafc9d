// A machine may fail, or die, at any touch of it. For every n: what the n-th touch leaves behind when it fails (an error that says
// enough, no secret, nothing of ours but what a next run goes on with) or when the process is killed there, and that a second run
// then ends where an undisturbed one does.
#include <algorithm>

#include "base/text.h"
#include "../kube/golden.h"
#include "kube/kube.h"
#include "plan/journal.h"
#include "plan/state.h"
#include "world.h"

using namespace kubejoin;

namespace {

// A way to join. `prepare` changes cluster and configuration before the machine is attached.
struct Way {
  const char* name;
  const char* release;
  void (*prepare)(FakeCluster& cluster, config::JoinConfig& config);
};

void as_is(FakeCluster&, config::JoinConfig&) {}
void by_kubelet(FakeCluster&, config::JoinConfig& config) { config.first_boot.bootstrap_by = config::BootstrapBy::kubelet; }
void until_ready(FakeCluster& cluster, config::JoinConfig& config) {
  cluster.node_is_ready = true;
  config.first_boot.wait_for = config::WaitFor::ready;
  config.first_boot.sentinel = "/run/cluster-api/bootstrap-success.complete";
}
void several_servers(FakeCluster& cluster, config::JoinConfig& config) {
  config.token_discovery->endpoints = {"10.0.0.2:6443", cluster.endpoint};
}

constexpr Way kWays[] = {
    {"a current cluster", "1.37", as_is},
    {"an old cluster", "1.20", as_is},
    {"until the Node is Ready, with a sentinel", "1.37", until_ready},
    {"the kubelet bootstraps itself", "1.37", by_kubelet},
    {"several API servers, one dead", "1.37", several_servers},
};

struct Joining : World {
  explicit Joining(const Way& way) : World(way.release) {
    way.prepare(cluster, config);
    // With bootstrap.by: kubelet the kubelet makes these out of the bootstrap kubeconfig.
    if (config.first_boot.bootstrap_by == config::BootstrapBy::kubelet) {
      host.on_command = [this](const Command& command) -> Result<CommandResult> {
        if (command.argv.size() < 2 || command.argv[1] != "restart") return CommandResult{};
        ++cluster.kubelet_starts;
        const auto identity = kube::make_identity();
        host.put("/var/lib/kubelet/pki/kubelet-client-2026-11-24-00-00-00.pem",
                 cluster.ca.issue(identity->spki_der, cluster.certificate) + std::string(identity->key_pem.expose()), 0600);
        host.put_link(plan::kClientPem, "/var/lib/kubelet/pki/kubelet-client-2026-11-24-00-00-00.pem");
        host.put(plan::kKubeletConf, "made by the kubelet", 0600);
        return CommandResult{};
      };
    }
  }
};

// The undisturbed run, and how many touches it has.
struct Reference {
  std::vector<std::string> made;
  int touches = 0;
};
Reference undisturbed(const Way& way) {
  Joining world(way);
  const ToldJoin told = join(world.host, world.config);
  REQUIRE(shown(told.result) == "ok");
  CHECK(leaks(world, told.printed).empty());
  return {made(world), world.host.fallible_touches()};
}

// After a failure or a death: the next run, on the same machine, without the fault.
void check_second_run(World& world, const Reference& reference, bool resumable) {
  const ToldJoin again = join(world.host, world.config, resumable);
  CHECK(shown(again.result) == "ok");
  CHECK(shown(made(world)) == shown(reference.made));
  CHECK(shown(leaks(world, again.printed)) == "");
  CHECK_FALSE(plan::read_journal(world.host).joined_at.empty());
}

}  // namespace

TEST_CASE("an undisturbed join leaves what a real one leaves, byte for byte, on both releases") {
  for (const Way& way : {kWays[0], kWays[1]}) {
    CAPTURE(way.name);
    Joining world(way);
    const ToldJoin told = join(world.host, world.config);
    REQUIRE(shown(told.result) == "ok");
    const std::string release = std::string(way.release) + "/";
    CHECK(world.host.content(plan::kKubeletConfig) == golden(release + "var-lib-kubelet-config.yaml"));
    CHECK(world.host.content(plan::kFlagsEnv) == golden(release + "kubeadm-flags.env"));
    CHECK(world.host.content("/etc/kubernetes/pki/ca.crt") == world.cluster.ca.pem());
    CHECK(world.host.content(plan::kKubeletConf) == kube::kubelet_kubeconfig(world.cluster.server, world.cluster.ca.pem(), plan::kClientPem, world.cluster.minor()));
    CHECK(world.host.stat(plan::kInstanceConfig).has_value() == (world.cluster.minor() == 37));
    if (world.cluster.minor() == 37) CHECK(world.host.content(plan::kInstanceConfig) == golden("1.37/instance-config.yaml"));
    CHECK(world.cluster.patches.size() == (world.cluster.minor() == 37 ? 0U : 1U));  // kubeadm's annotation of old
    CHECK(world.cluster.kubelet_starts == 1);
    // Before the kubelet starts: cluster-info; kubeadm-config and the Node's name; the CSR, its watch, kubelet-config.
    const auto touched = [&](std::string_view what) { return std::find_if(world.host.touches.begin(), world.host.touches.end(), [&](const std::string& t) { return t.starts_with(what); }); };
    const auto post = touched("POST https://10.0.0.1:6443/apis/certificates");
    CHECK((post == world.host.touches.end() || touched("settle /var/lib/kubelet/pki/kubelet-client.key.tmp") < post));  // the key is on the disk before the cluster knows of it
    const auto start = std::find_if(world.host.touches.begin(), world.host.touches.end(), [](const std::string& t) { return t.find("restart") != t.npos; });
    CHECK(std::count_if(world.host.touches.begin(), start, [](const std::string& t) { return t.find(" https://") != t.npos; }) == 6);
  }
}

TEST_CASE("the n-th touch fails") {
  for (const Way& way : kWays) {
    CAPTURE(way.name);
    const Reference reference = undisturbed(way);
    int failed = 0, mended = 0;
    for (int n = 1; n <= reference.touches; ++n) {
      CAPTURE(n);
      Joining world(way);
      world.host.fail_at(n);
      const ToldJoin told = join(world.host, world.config);
      const auto hit = std::find_if(world.host.touches.begin(), world.host.touches.end(), [](const std::string& t) { return t.ends_with(" (failed)"); });
      CAPTURE((hit == world.host.touches.end() ? "a read" : *hit));
      CHECK(shown(leaks(world, told.printed)) == "");
      if (!told.result.error) {  // a request that was sent again, or a courtesy that a join can do without
        ++mended;
        if (hit == world.host.touches.end() || hit->find("bootstrap-success") == hit->npos) CHECK(shown(made(world)) == shown(reference.made));
        continue;
      }
      ++failed;
      const Error& error = *told.result.error;
      CHECK_FALSE(error.id.empty());
      CHECK_FALSE(error.message.empty());
      CHECK_FALSE(error.hint.empty());
      CHECK(exit_status(error.kind) >= 64);
      CHECK(told.printed.find(error.id) != std::string::npos);
      // Undo: without a certificate nothing of ours is left, with one everything to go on with, and the journal that says so.
      const auto left = made(world);
      const bool has_certificate = std::any_of(left.begin(), left.end(), [](const std::string& l) { return l.find("kubelet-client-DATE.pem") != l.npos; });
      CHECK_FALSE(world.host.stat(plan::kBootstrapConf));
      if (!has_certificate) {
        CHECK_FALSE(world.host.stat(plan::kClientKeyTmp));
        for (const std::string& line : left) CHECK_MESSAGE(line.find("/var/lib/kubelet") == 5, line);
        for (const auto& one : world.host.files) CHECK_MESSAGE((is_record(one.first) || world.before.contains(one.first) || one.second.type == FileType::directory), one.first);
      }
      check_second_run(world, reference, false);
    }
    CHECK(failed > 10);
    CHECK(mended > 3);
  }
}

TEST_CASE("killed at the n-th touch") {
  for (const Way& way : kWays) {
    CAPTURE(way.name);
    const Reference reference = undisturbed(way);
    for (int n = 1; n <= reference.touches; ++n) {
      CAPTURE(n);
      Joining world(way);
      world.host.die_at(n);
      CHECK_THROWS_AS((void)join(world.host, world.config), FakeHost::Death);
      CAPTURE(world.host.touches.back());
      CHECK(shown(world.host.places_that_show(kTestSecret)) == "");  // what is private stands in 0600 files alone
      CHECK(shown(world.host.places_that_show("PRIVATE KEY")) == "");
      check_second_run(world, reference, n % 2 == 0);
    }
  }
}

TEST_CASE("killed twice, at every pair of touches around the certificate") {
  const Way& way = kWays[0];
  const Reference reference = undisturbed(way);
  for (int first = 20; first <= reference.touches; first += 5) {
    for (int second = 20; second <= reference.touches; second += 5) {
      CAPTURE(first);
      CAPTURE(second);
      Joining world(way);
      int deaths = 0;
      for (const int n : {first, second}) {
        world.host.die_at(n);
        try {
          (void)join(world.host, world.config);
        } catch (const FakeHost::Death&) {
          ++deaths;
        }
      }
      world.host.die_at(0);
      // A second run has fewer touches, as it finds what the first has made: it may be over before its death.
      if (deaths == 2) check_second_run(world, reference, true);
      else CHECK(shown(made(world)) == shown(reference.made));
    }
  }
}
