// From documents to a JoinConfig: every violation at once, then defaults and cross-field rules.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "config/join_config.h"
#include "parse/document.h"

namespace kubejoin::config {

// What the flags of `kubejoin join` said; only those that were given are set.
struct Flags {
  std::vector<std::string> endpoints;  // positionals
  std::optional<std::string> node_name, cri_socket, discovery_file, patches, feature_gates;
  std::optional<Secret> token, discovery_token, tls_bootstrap_token;
  std::vector<std::string> ca_cert_hashes, ignore_preflight_errors, skip_phases;
  std::optional<bool> unsafe_skip_ca_verification, dry_run;
};

// What defaults need to know of the machine.
struct Surroundings {
  std::string hostname;
  std::string working_directory = "/";  // relative paths of flags begin here; paths of documents are absolute
  // {{ names }} stay unresolved (validate on a laptop): texts that hold one are not judged by their content.
  bool templates = false;
  // What skipPhases and ignorePreflightErrors may hold: the plan's and preflight's names, which stand above this folder. Without them,
  // names are not judged.
  std::vector<std::string> phases{};
  std::function<Status(std::span<const std::string>)> can_skip{};  // these phases together
  std::vector<std::string> checks{};                               // with any suffix, where one ends in a dash: "Port-"
};

struct Loaded {
  JoinConfig config;          // meaningful when errors is empty
  std::vector<Error> errors;  // Kind::invalid, ordered by place
  std::vector<Error> warnings;
  // "discovery.bootstrapToken.token" -> "write_files[0] line 7", "flag --token", "default": for `boot --dry-run`.
  std::vector<std::pair<std::string, std::string>> origins;
};

// `strict`: unknown fields are errors (with did-you-mean); otherwise warnings, as kubeadm has it.
// Exactly one join document is used (any version, see schema/schema.h), at most one FirstBoot; other kubeadm and
// component documents are reported as unused. Flags beside a document: only those that kubeadm 1.37 or 1.20 allows
// (spec §1.4). With no document the flags alone make the configuration.
Loaded load(const std::vector<parse::Document>& documents, const Flags& flags, const Surroundings& surroundings,
            bool strict);

// The rules of Kubernetes names, tokens, pins, endpoints (spec §2.7, §3.1, §3.2, §11.1, §11.3), shared with the flags'
// checks.
bool is_token(std::string_view text);                      // [a-z0-9]{6}\.[a-z0-9]{16}
Result<std::string> normalise_pin(std::string_view text);  // "SHA256:AB…" -> "sha256:ab…"; error "config.pin"

}  // namespace kubejoin::config
