// The journal: which files on this machine are ours, and for whom; written before the first of them, so that a run that was killed at
// any instruction is finished by the next one.
#pragma once

#include <string>
#include <vector>

#include "base/host.h"

namespace kubejoin::plan {

struct Journal {
  std::string instance_id;  // of the machine that joined; another one on the same disk is a clone. Empty when `join` did not know it
  std::string machine_id;   // /etc/machine-id at that time: tells a clone where the instance-id is not known
  std::string node_name;
  std::string joined_at;    // RFC 3339; empty while the join is under way
  std::vector<std::string> files;
  bool owns(const std::string& path) const;
};

inline constexpr char kJournal[] = "/var/lib/kubejoin/journal.json";

// machine-id(5), or nothing while the first boot has not made it.
std::string machine_id(Host& host);

// An absent, empty or torn journal is an empty one: after a power cut a file may be there without its content.
Journal read_journal(Host& host);
Status write_journal(Host& host, const Journal& journal);

// Claims every path of `candidates` that does not exist now, beside what an unfinished journal claimed already. What a killed run's
// half-done writes left beside them is removed.
Status claim(Host& host, Journal& journal, const std::vector<std::string>& candidates);

}  // namespace kubejoin::plan
