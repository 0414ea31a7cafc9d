// Kinds as exit statuses and words, and errors told one level up.
#include "base/result.h"

namespace kubejoin {

namespace {

struct KindRow {
  Kind kind;
  int exit_status;
  std::string_view name, hint;
};

constexpr KindRow kKinds[] = {
    // EX_UNAVAILABLE, EX_PROTOCOL, EX_NOPERM, EX_DATAERR, EX_CONFIG, EX_OSERR, EX_USAGE, EX_SOFTWARE
    {Kind::unavailable, 69, "unavailable", "try again: a join goes on where it stopped"},
    {Kind::untrusted, 76, "untrusted", "is this the right server? Compare its address, its CA and the pin"},
    {Kind::refused, 77, "refused", "on the control plane: kubeadm token create --print-join-command"},
    {Kind::invalid, 65, "invalid", "mend the document: kubejoin validate FILE"},
    {Kind::unfit, 78, "unfit", "mend the machine, then try again"},
    {Kind::machine, 71, "machine", "is the disk full, read-only or failing (df -h, dmesg)? Then try again"},
    {Kind::usage, 64, "usage", "kubejoin help"},
    {Kind::internal, 70, "internal", "this is a defect of kubejoin: please report it, with the output of -v5"},
};

constexpr bool rows_stand_at_their_kind() {
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_kind());

const KindRow& row_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

}  // namespace

int exit_status(Kind kind) { return row_of(kind).exit_status; }

std::string_view name_of(Kind kind) { return row_of(kind).name; }

std::string_view usual_hint(Kind kind) { return row_of(kind).hint; }

tl::unexpected<Error> within(std::string_view doing, Error error) {
  error.message = "unable to " + std::string(doing) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace kubejoin
