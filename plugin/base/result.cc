// Kinds as exit statuses and words, and errors told one level up.
#include "base/result.h"

namespace kubejoin {

namespace {

struct KindRow {
  Kind kind;
  int exit_status;
  std::string_view name;
};

constexpr KindRow kKinds[] = {
    {Kind::unavailable, 69, "unavailable"},  // EX_UNAVAILABLE
    {Kind::untrusted, 76, "untrusted"},      // EX_PROTOCOL
    {Kind::refused, 77, "refused"},          // EX_NOPERM
    {Kind::invalid, 65, "invalid"},          // EX_DATAERR
    {Kind::unfit, 78, "unfit"},              // EX_CONFIG
    {Kind::machine, 71, "machine"},          // EX_OSERR
    {Kind::usage, 64, "usage"},              // EX_USAGE
    {Kind::internal, 70, "internal"},        // EX_SOFTWARE
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

tl::unexpected<Error> within(std::string_view doing, Error error) {
  error.message = "unable to " + std::string(doing) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace kubejoin
