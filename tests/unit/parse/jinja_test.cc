// Templates: cloud-init's names in all their spellings, and every unsupported thing named with its place.
#include "parse/layers.h"
#include "texts.h"

using namespace kubejoin;
using namespace kubejoin::parse;

namespace {

const Variables kVariables = {{"v1.local_hostname", "ip-10-0-0-7"},
                              {"v1.availability_zone", "eu-1a"},
                              {"ds.meta_data.local-hostname", "ip-10-0-0-7.ec2.internal"},
                              {"ds.meta_data.tags.0", "blue"}};

std::string rendered(std::string_view text) {
  Source source{"user-data", "", std::string(text)};
  const auto result = render(source, kVariables);
  return result ? *result : told(result.error());
}

}  // namespace

TEST_CASE("parse::render replaces names") {
  struct Row {
    std::string text;
    std::string out;
  };
  static const Row kRows[] = {
      {"plain", "plain"},
      {"{{ v1.local_hostname }}", "ip-10-0-0-7"},
      {"a-{{v1.availability_zone}}-b {{ v1.local_hostname }}", "a-eu-1a-b ip-10-0-0-7"},
      {"{{ v1_local_hostname }}", "ip-10-0-0-7"},
      {"{{ local_hostname }}", "ip-10-0-0-7"},  // Cluster API on OpenStack
      {"{{ availability-zone }}", "eu-1a"},
      {"{{ ds.meta_data.local_hostname }}", "ip-10-0-0-7.ec2.internal"},  // … on AWS
      {"{{ ds.meta_data.local-hostname }}", "ip-10-0-0-7.ec2.internal"},
      {"{{ ds.meta_data[\"local_hostname\"] }}", "ip-10-0-0-7.ec2.internal"},  // … on Azure
      {"{{ ds.meta_data.local_hostname.split(\".\")[0] }}", "ip-10-0-0-7"},    // … on Google Cloud
      {"{{ ds['meta_data'].tags[0] }}", "blue"},
      {"{{ v1.region | default('none') }}", "none"},
      {"{{ v1.region|d(\"\") }}", ""},
      {"{{ v1.local_hostname | default('x') }}", "ip-10-0-0-7"},
      {"a{# gone #}b", "ab"},
      {"a{# one\ntwo #}b", "a\nb"},  // lines stay lines
      {"{% raw %}{{ go }}{%- endraw %}!", "{{ go }}!"},
      {"${#array[@]} #}", "$"},
      // A long value that a writer of YAML has folded: the lines stay lines where no value can go on.
      {"{{ v1.local_hostname\n}}", "ip-10-0-0-7"},
      {"  value: a/{{ v1.availability_zone }}/{{ v1.local_hostname\n    }}\n  b: c\n", "  value: a/eu-1a/ip-10-0-0-7\n\n  b: c\n"},
      {"- value: a/{{\n    v1.local_hostname }}/d\nb: c\n", "- value: a/ip-10-0-0-7/d\n\nb: c\n"},
      {"value: a/{{ v1.local_hostname\n  }}\n  more\n", "value: a/ip-10-0-0-7\n  more\n"},
      {"{ { } }", "{ { } }"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    CHECK(rendered(row.text) == row.out);
  }
}

TEST_CASE("parse::render names what it cannot do") {
  struct Row {
    std::string text;
    std::string told;
  };
  static const Row kRows[] = {
      {"\n  {{ v1.local_hostnam }}", "2:3 jinja.unknown-name this instance's metadata has no \"v1.local_hostnam\""},
      {"{{ v1.region }}", "1:1 jinja.unknown-name this instance's metadata has no \"v1.region\""},
      {"{{ 1 + 1 }}", "1:1 jinja.unsupported unable to evaluate \"{{ 1 + 1 }}\""},
      {"{{ v1.region | upper }}", "1:1 jinja.unsupported unable to evaluate \"{{ v1.region | upper }}\""},
      {"{{ v1.region | default(v1.x) }}",
       "1:1 jinja.unsupported unable to evaluate \"{{ v1.region | default(v1.x) }}\""},
      {"{{ }}", "1:1 jinja.unsupported unable to evaluate \"{{ }}\""},
      {"a {% if x %}", "1:3 jinja.unsupported unable to run the statement \"{% if x %}\""},
      {"{{ v1.local_hostname\n\n\n\n}}", "1:1 jinja.unclosed the {{ that opens here is not closed"},
      {"a: {{ v1.local_hostname\nb: {{ v1.availability_zone }}\n", "1:4 jinja.unclosed the {{ that opens here is not closed"},
      {"{# x", "1:1 jinja.unclosed the {# that opens here is never closed"},
      {"{% raw %}", "1:1 jinja.unclosed the {% raw %} that opens here is never closed"},
      {"{{ v1.local_hostname.split('-')[9] }}", "1:1 jinja.index \"ip-10-0-0-7\" has no piece 9 between \"-\""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    CHECK(rendered(row.text) == row.told);
  }
  const auto unknown = render(Source{"f", "", "{{ v1.local_hostnam }}"}, kVariables);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().hint == "did you mean v1.local_hostname?");
}

TEST_CASE("parse::render_all without metadata leaves names, readable as YAML") {
  Source source{"user-data", "",
                "a: {{ v1.x }}\nb: '{{ v1.y }}'\nc:\n  - {{ v1.z | default('q') }}-1 # note\nd: n-{{ v1.x }}\n"};
  const Rendered out = render_all(source, nullptr);
  CHECK(out.problems.empty());
  CHECK(json(out.text) ==
        R"({"a":"{{ v1.x }}","b":"{{ v1.y }}","c":["{{ v1.z | default('q') }}-1"],"d":"n-{{ v1.x }}"})");
}

TEST_CASE("parse::template_type reads the first line") {
  CHECK(template_type("## template: jinja\n#cloud-config") == "jinja");
  CHECK(template_type("##template:Jinja\r\n") == "jinja");
  CHECK(template_type("## Template: basic") == "basic");
  CHECK(template_type("# template: jinja") == "");
  CHECK(template_type("#cloud-config\n## template: jinja") == "");
}
