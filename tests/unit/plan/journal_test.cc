// The journal: what a killed run left, and whose it is.
#include "plan/journal.h"

#include "../fake_host.h"
#include "../test.h"

using namespace kubejoin;
using namespace kubejoin::plan;

TEST_CASE("a journal comes back as it was written") {
  FakeHost host;
  const Journal journal{.instance_id = "i-0123", .machine_id = "m", .node_name = "node1", .joined_at = "2026-11-24T00:00:00.000Z", .files = {"/a \"b\"", "/c"}};
  REQUIRE(outcome(write_journal(host, journal)) == "ok");
  CHECK(host.files.at(kJournal).mode == 0600);
  const Journal back = read_journal(host);
  CHECK(back.instance_id == journal.instance_id);
  CHECK(back.node_name == journal.node_name);
  CHECK(back.joined_at == journal.joined_at);
  CHECK(back.files == journal.files);
  CHECK(back.owns("/c"));
  CHECK_FALSE(back.owns("/C"));
}

TEST_CASE("an absent, empty or torn journal is an empty one") {
  for (const char* text : {"", " \n", "{", "[]", "a: [", "{\"files\":", "\x01\x02", "null", "{\"files\":{}}"}) {
    CAPTURE(text);
    FakeHost host;
    host.put(kJournal, text);
    const Journal journal = read_journal(host);
    CHECK(journal.files.empty());
    CHECK(journal.joined_at.empty());
  }
  FakeHost host;
  CHECK(read_journal(host).files.empty());
}

TEST_CASE("what is there before the first run is the user's, what comes after is ours, until the join has ended") {
  FakeHost host;
  host.put("/etc/theirs", "");
  Journal journal = read_journal(host);
  REQUIRE(outcome(claim(host, journal, {"/etc/theirs", "/etc/ours"})) == "ok");
  CHECK(journal.files == std::vector<std::string>{"/etc/ours"});

  host.put("/etc/ours", "");  // and killed
  journal = read_journal(host);
  REQUIRE(outcome(claim(host, journal, {"/etc/theirs", "/etc/ours", "/etc/more"})) == "ok");
  CHECK(journal.files == std::vector<std::string>{"/etc/ours", "/etc/more"});

  journal.joined_at = "2026-11-24T00:00:00.000Z";
  REQUIRE(outcome(write_journal(host, journal)) == "ok");
  journal = read_journal(host);
  REQUIRE(outcome(claim(host, journal, {"/etc/theirs", "/etc/ours", "/etc/more"})) == "ok");
  CHECK(journal.files == std::vector<std::string>{"/etc/more"});  // a node that has joined: its files are no leftovers
}

TEST_CASE("what a killed run's half-done writes left is removed, and nothing else") {
  FakeHost host;
  const std::string mark = ".kubejoin-0123456789ab";
  for (const std::string& path : {"/etc/kubernetes/.kubelet.conf" + mark, "/var/lib/kubejoin/.journal.json" + mark, "/run/kubejoin/.status.json" + mark}) host.put(path, "secret", 0600);
  const std::vector<std::string> theirs = {"/etc/kubernetes/kubelet.conf" + mark, "/etc/kubernetes/.x.kubejoin-0123456789aZ", "/etc/kubernetes/.x.kubejoin-0123",
                                           "/etc/kubernetes/" + mark, "/etc/.x" + mark};
  for (const std::string& path : theirs) host.put(path, "theirs");
  Journal journal;
  REQUIRE(outcome(claim(host, journal, {"/etc/kubernetes/kubelet.conf"})) == "ok");
  CHECK(host.files.size() == 5 + 1);
  for (const auto& one : host.files) CHECK_MESSAGE(one.second.content != "secret", one.first);
}
