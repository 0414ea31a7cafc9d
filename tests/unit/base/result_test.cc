// Errors, their frozen numbers, and secrets.
#include "base/result.h"

#include "../test.h"
#include "base/secret.h"

using namespace kubejoin;

namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Kind::invalid, "test.odd", "unable to halve " + std::to_string(n), "give an even number");
  return n / 2;
}
Result<int> quarter(int n) {
  TRY(const int first, half(n));
  TRY(const int second, half(first));
  return second;
}
Status quarter_quietly(int n) {
  CHECK_OK(quarter(n));
  return {};
}

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

}  // namespace

TEST_CASE("the exit status of a kind is frozen: scripts depend on it") {
  struct Row {
    Kind kind;
    int status;
    std::string name;
  };
  const Row rows[] = {
      {Kind::usage, 64, "usage"},       {Kind::invalid, 65, "invalid"}, {Kind::unavailable, 69, "unavailable"},
      {Kind::internal, 70, "internal"}, {Kind::machine, 71, "machine"}, {Kind::untrusted, 76, "untrusted"},
      {Kind::refused, 77, "refused"},   {Kind::unfit, 78, "unfit"}};
  for (const Row& row : rows) {
    CHECK(exit_status(row.kind) == row.status);
    CHECK(name_of(row.kind) == row.name);
  }
}

TEST_CASE("errors travel up unchanged, and know where they were born") {
  CHECK(*quarter(8) == 2);
  CHECK(id_of(quarter(6)) == "test.odd");
  const Status error = quarter_quietly(6);
  REQUIRE(!error);
  CHECK(error.error().message == "unable to halve 3");
  CHECK(error.error().hint == "give an even number");
  CHECK(std::string(error.error().born_file).ends_with("result_test.cc"));
  CHECK(error.error().born_line > 0);

  const Status outer = within("quarter a cake", error.error());
  CHECK(outer.error().message == "unable to quarter a cake: unable to halve 3");
  CHECK(outer.error().id == "test.odd");
  CHECK(outer.error().kind == Kind::invalid);
  CHECK(outer.error().hint == "give an even number");
}

TEST_CASE("a secret compares, copies and moves, and cannot be printed") {
  static_assert(!Streamable<Secret> && Streamable<std::string>);
  Secret a(std::string("abcdef.0123456789abcdef")), b = a;
  CHECK((a == b));
  CHECK(!(a == Secret(std::string("abcdef.0123456789abcdeg"))));
  CHECK(!(a == Secret(std::string("abcdef"))));
  CHECK(!(Secret() == Secret(std::string(1, '\0'))));
  Secret c = std::move(a);
  CHECK(a.empty());
  CHECK((c == b));
  a = std::move(c);
  CHECK(c.empty());
  Secret& self = a;
  a = self;
  a = std::move(self);
  CHECK((a == b));
}

TEST_CASE("what a secret gave up is wiped, in short strings too") {
  for (const std::size_t size : {8U, 200U}) {
    std::string text(size, 'S');
    const char* bytes = text.data();
    wipe(text);
    CHECK(text.empty());
    REQUIRE(text.data() == bytes);  // not given back, so that we may look
    text.resize(size, '-');         // within its capacity: what lies beyond is as it was left
    CHECK(text == std::string(size, '-'));
  }
  alignas(Secret) unsigned char room[sizeof(Secret)];
  auto* secret = new (room) Secret(std::string("topsecret"));
  secret->~Secret();
  const volatile unsigned char* look = room;
  std::string left;
  for (std::size_t i = 0; i < sizeof room; ++i) left += static_cast<char>(look[i]);
  CHECK(left.find("topsecret") == std::string::npos);
}

TEST_CASE("tokens lose their secret half wherever they stand") {
  const std::pair<std::string, std::string> rows[] = {
      {"", ""},
      {"abcdef.0123456789abcdef", "abcdef.…"},
      {"--token=abcdef.0123456789abcdef --x", "--token=abcdef.… --x"},
      {"bootstrap-token-abcdef.0123456789abcdef", "bootstrap-token-abcdef.…"},
      {"abcdef.0123456789abcdef,ghijkl.0123456789abcdef", "abcdef.…,ghijkl.…"},
      {"abcdef.0123456789abcdef.0123456789abcdef", "abcdef.….0123456789abcdef"},
      {"Xabcdef.0123456789abcdefX", "Xabcdef.…X"},
      {"aabcdef.0123456789abcdef", "aabcdef.0123456789abcdef"},  // a longer word: no token
      {"abcdef.0123456789abcdef0", "abcdef.0123456789abcdef0"},
      {"abcdef.0123456789ABCDEF", "abcdef.0123456789ABCDEF"},
      {"abcde.0123456789abcdef", "abcde.0123456789abcdef"},
      {".0123456789abcdef", ".0123456789abcdef"},
      {"v1.37.2", "v1.37.2"},
  };
  for (const auto& [text, shown] : rows) CHECK(without_tokens(text) == shown);
}
