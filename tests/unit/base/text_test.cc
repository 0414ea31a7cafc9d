// The text tools, fact by fact.
#include "base/text.h"

#include "../test.h"

using namespace kubejoin;
using namespace std::chrono;

TEST_CASE("splitting, joining, trimming, replacing") {
  CHECK(split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(split(",", ',') == std::vector<std::string>{"", ""});
  CHECK(join(std::vector<std::string>{"a", "", "b"}, ", ") == "a, , b");
  CHECK(join({}, ",").empty());
  CHECK(trim(" \t a b\r\n\v\f") == "a b");
  CHECK(trim("   ").empty());
  CHECK(lower("AbC-Ä") == "abc-Ä");
  CHECK(replace_all("aaa", "a", "aa") == "aaaaaa");
  CHECK(replace_all("abab", "ab", "") == "");
  CHECK(replace_all("abc", "", "x") == "abc");
}

TEST_CASE("what comes from outside is shown without control over the reader's terminal or eyes") {
  struct Row {
    std::string text, shown;
  };
  const Row rows[] = {
      {"plain", "plain"},
      {"tab\tline\nbell\a", "tab\\x09line\\x0abell\\x07"},
      {std::string("nul\0", 4), "nul\\x00"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b[2J", "\\xc2\\x9b[2J"},  // CSI as one C1 control
      {"\xe2\x80\xae"
       "abc",
       "\\xe2\\x80\\xaeabc"},  // right-to-left override
      {"Grüße, 日本", "Grüße, 日本"},
      {"\xff\xfe", "\\xff\\xfe"},
      {"\xc0\x80", "\\xc0\\x80"},                    // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
      {"\xe6\x97", "\\xe6\\x97"},                    // cut short
      {"token abcdef.0123456789abcdef, ok", "token abcdef.…, ok"},
  };
  for (const Row& row : rows) CHECK(printable(row.text) == row.shown);
  CHECK(quoted("a\n") == "\"a\\x0a\"");
}

TEST_CASE("printable never exceeds its limit, and never cuts a character or an escape") {
  const std::string texts[] = {std::string(50, 'x'), "日本語日本語日本語", "\x01\x02\x03\x04\x05\x06\x07", "ab\x1b日",
                               ""};
  for (const std::string& text : texts) {
    const std::string whole = printable(text, 1000);
    for (std::size_t limit = 0; limit <= whole.size() + 1; ++limit) {
      const std::string shown = printable(text, limit);
      CHECK(shown.size() <= limit);
      if (whole.size() <= limit)
        CHECK(shown == whole);
      else if (limit >= 3)
        CHECK(shown.ends_with("…"));
      if (shown.ends_with("…") && shown != whole) CHECK(whole.starts_with(shown.substr(0, shown.size() - 3)));
      CHECK(printable(shown, 1000) == shown);  // still valid UTF-8
    }
  }
}

TEST_CASE("base64, both alphabets, and what is none") {
  const std::pair<std::string, std::string> rows[] = {
      {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xfb\xff", "+/8="}};  // RFC 4648 §10
  for (const auto& [bytes, text] : rows) {
    CHECK(base64(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
  CHECK(base64url("\xfb\xff") == "-_8");
  CHECK(base64_decode("Zm9v\r\nYg==\n") == "foob");
  CHECK(base64_decode("Zg") == "f");
  for (const std::string bad : {"Z", "Zg=", "Zg===", "=", "Zg==Zg==", "Zm 9v", "Zm9v-_", "Zm8=v", "Zm9v="})
    CHECK_MESSAGE(!base64_decode(bad), bad);
}

TEST_CASE("hex") {
  CHECK(hex(std::string("\x00\xff\x1a", 3)) == "00ff1a");
  CHECK(hex_decode("00fF1a") == std::string("\x00\xff\x1a", 3));
  for (const std::string bad : {"0", "0g", "0x00", " 00"}) CHECK_MESSAGE(!hex_decode(bad), bad);
}

TEST_CASE("did you mean") {
  const std::vector<std::string> words = {"token", "nodeRegistration", "caCertPath", "discovery", "kind"};
  const std::pair<std::string, std::string> rows[] = {{"tokne", "token"},
                                                      {"tken", "token"},
                                                      {"token", "token"},
                                                      {"TOKEN", "token"},
                                                      {"noderegistration", "nodeRegistration"},
                                                      {"caCertPaht", "caCertPath"},
                                                      {"kin", "kind"},
                                                      {"xy", ""},
                                                      {"discoverries", ""},
                                                      {"", ""},
                                                      {"k", ""},
                                                      {std::string(1000, 'k'), ""}};
  for (const auto& row : rows) CHECK_MESSAGE(did_you_mean(row.first, words).value_or("") == row.second, row.first);
}

TEST_CASE("durations are Go's") {
  const std::pair<std::string, std::int64_t> rows[] = {{"0", 0},
                                                       {"0s", 0},
                                                       {"5m0s", 300'000},
                                                       {"1h30m", 5'400'000},
                                                       {"250ms", 250},
                                                       {"1.5s", 1500},
                                                       {".5s", 500},
                                                       {"1.s", 1000},
                                                       {"-1m", -60'000},
                                                       {"+1s", 1000},
                                                       {"1h1h", 7'200'000},
                                                       {"1500us", 1},
                                                       {"1500µs", 1},
                                                       {"1500μs", 1},
                                                       {"999999ns", 0},
                                                       {"-0", 0},
                                                       {"2562047h47m16.854775807s", 9'223'372'036'854},
                                                       {"0.000001h", 3},
                                                       {"1.000000000000000000001s", 1000}};
  for (const auto& row : rows) CHECK_MESSAGE(parse_duration(row.first) == milliseconds(row.second), row.first);
  for (const std::string bad : {"", "-", "s", ".", ".s", "1", "1d", "1 s", " 1s", "1s ", "1m1", "1e3s", "--1s",
                                "9223372036854775808ns", "2562047h47m16.854775808s", "99999999999999999999h"})
    CHECK_MESSAGE(!parse_duration(bad), bad);
  const std::pair<std::int64_t, std::string> shown[] = {
      {0, "0s"},        {20, "20ms"},      {999, "999ms"},        {1500, "1.5s"},
      {1050, "1.05s"},  {240'000, "4m0s"}, {3'600'000, "1h0m0s"}, {3'601'001, "1h0m1.001s"},
      {-1500, "-1.5s"}, {-20, "-20ms"}};
  for (const auto& [count, text] : shown) {
    CHECK(format_duration(milliseconds(count)) == text);
    CHECK(parse_duration(text) == milliseconds(count));
  }
}

TEST_CASE("dates") {
  CHECK(rfc3339(system_clock::time_point(milliseconds(1'795'504'326'123))) == "2026-11-24T07:12:06.123Z");
  CHECK(rfc3339(system_clock::time_point(milliseconds(951'782'400'000))) == "2000-02-29T00:00:00.000Z");
  CHECK(rfc3339(system_clock::time_point(milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == system_clock::time_point(seconds(784'111'777)));
  for (const std::string bad :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 0x Nov 1994 08:49:37 GMT"})
    CHECK_MESSAGE(!parse_http_date(bad), bad);
}

TEST_CASE("host and port") {
  struct Row {
    std::string text, host;
    int port;
  };
  const Row rows[] = {{"host:80", "host", 80},
                      {"10.0.0.1:6443", "10.0.0.1", 6443},
                      {"[::1]:65535", "::1", 65535},
                      {"[fe80::1%eth0]:1", "fe80::1%eth0", 1}};
  for (const Row& row : rows) {
    const auto parsed = parse_host_port(row.text);
    REQUIRE_MESSAGE(parsed, row.text);
    CHECK(parsed->host == row.host);
    CHECK(parsed->port == row.port);
  }
  for (const std::string bad :
       {"", "host", "host:", ":80", "host:0", "host:65536", "host:+80", "host:80 ", "host:8a", "::1", "::1:80", "[::1]",
        "[::1]:", "[::1]80", "[]:80", "a]:80", "[::1]]:80", "[[::1]:80", "http://h:80"})
    CHECK_MESSAGE(!parse_host_port(bad), bad);
}

TEST_CASE("addresses and names") {
  for (const std::string good : {"0.0.0.0", "255.255.255.255", "10.0.0.1"}) CHECK_MESSAGE(is_ipv4(good), good);
  for (const std::string bad : {"", "1.2.3", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", "::1", "1.2.3.4.5"})
    CHECK_MESSAGE(!is_ipv4(bad), bad);
  CHECK(!is_ipv4(std::string("1.2.3.4\0x", 9)));
  for (const std::string good : {"::", "::1", "fe80::1", "::ffff:1.2.3.4", "2001:DB8::1"})
    CHECK_MESSAGE(is_ipv6(good), good);
  for (const std::string bad : {"", "1.2.3.4", "fe80::1%eth0", "[::1]", ":::", "1:2:3:4:5:6:7"})
    CHECK_MESSAGE(!is_ipv6(bad), bad);
  for (const std::string good : {"a", "a-b.c", "0", "ip-10-0-0-1.ec2.internal"})
    CHECK_MESSAGE(is_dns1123_subdomain(good), good);
  for (const std::string bad : {"", "A", "a_b", "-a", "a-", "a..b", ".a", "a.", "ä", "a b"})
    CHECK_MESSAGE(!is_dns1123_subdomain(bad), bad);
  CHECK(is_dns1123_subdomain(std::string(253, 'a')));
  CHECK(!is_dns1123_subdomain(std::string(254, 'a')));
}
