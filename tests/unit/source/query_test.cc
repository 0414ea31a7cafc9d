// What `kubejoin query` prints, and what it never does.
#include "recorded.h"

using namespace kubejoin;
using namespace kubejoin::source;

namespace {

Fetched example() {
  Fetched fetched;
  fetched.source = "ec2";
  fetched.origin = "http://169.254.169.254/latest/user-data";
  fetched.user_data = "token: abcdef.0123456789abcdef";
  put(fetched.metadata, "v1.instance-id", "i-7");
  put(fetched.metadata, "v1.region", "eu-central-1");
  put(fetched.metadata, "ds.meta_data.hostname", "worker-7\nsecond line");
  put(fetched.metadata, "ds.meta_data.attributes.join-token", "hunter2");
  put(fetched.metadata, "ds.meta_data.attributes.Admin_Password", "hunter2");
  put(fetched.metadata, "ds.meta_data.attributes.client-secret", "hunter2");
  put(fetched.metadata, "ds.meta_data.attributes.api_key", "hunter2");
  put(fetched.metadata, "ds.meta_data.attributes.note", "use hunt3r.0123456789abcdef");
  put(fetched.metadata, "ds.meta_data.attributes.pem", "-----BEGIN EC PRIVATE KEY-----\nhunter2");
  return fetched;
}

}  // namespace

TEST_CASE("source::render_query: everything, a part, one value") {
  const Fetched fetched = example();
  CHECK(*render_query(fetched, "", false) ==
        "source: ec2\norigin: http://169.254.169.254/latest/user-data\nuser-data: 30 bytes\n"
        "ds.meta_data.attributes.Admin_Password: redacted\nds.meta_data.attributes.api_key: redacted\n"
        "ds.meta_data.attributes.client_secret: redacted\nds.meta_data.attributes.join_token: redacted\n"
        "ds.meta_data.attributes.note: redacted\nds.meta_data.attributes.pem: redacted\n"
        "ds.meta_data.hostname: worker-7\\x0asecond line\nv1.instance_id: i-7\nv1.region: eu-central-1\n");
  CHECK(*render_query(fetched, "v1", false) == "v1.instance_id: i-7\nv1.region: eu-central-1\n");
  CHECK(*render_query(fetched, "v1.instance-id", false) == "i-7\n");
  CHECK(*render_query(fetched, "v1.instance_id", true) == "\"i-7\"\n");
  CHECK(*render_query(fetched, "ds.meta_data.attributes.join_token", false) == "redacted\n");
  for (const bool json : {false, true}) CHECK(render_query(fetched, "", json)->find("hunt") == std::string::npos);
  for (const bool json : {false, true}) CHECK(render_query(fetched, "", json)->find("abcdef") == std::string::npos);
}

TEST_CASE("source::render_query: what is not there") {
  const auto none = render_query(example(), "v1.regoin", false);
  CHECK(id_of(none) == "query.absent");
  CHECK(none.error().kind == Kind::usage);
  CHECK(none.error().hint == "did you mean v1.region?");
  CHECK(id_of(render_query(example(), "v1.reg", false)) == "query.absent");

  Fetched nothing;
  nothing.source = "none";
  nothing.none = true;
  CHECK(*render_query(nothing, "", false) == "source: none\norigin: \nuser-data: none\n");
}

TEST_CASE("source::render_sources: a line a source") {
  const std::string text = render_sources(false);
  CHECK(split(text, '\n').size() == sources().size() + 1);
  CHECK(text.find("ec2           Amazon EC2 (IMDSv2): DMI sys_vendor 'Amazon EC2'") != std::string::npos);
  CHECK(render_sources(true).find("\"userDataLimit\":16384") != std::string::npos);
}

TEST_CASE("source::variables: v1 also without its prefix") {
  const auto all = variables(example().metadata);
  CHECK(std::find(all.begin(), all.end(), std::pair<std::string, std::string>("region", "eu-central-1")) != all.end());
  CHECK(std::find(all.begin(), all.end(), std::pair<std::string, std::string>("v1.region", "eu-central-1")) != all.end());
}

TEST_CASE("source::put: sorted, the first stands, nothing empty") {
  Metadata metadata;
  put(metadata, "b-c", "1");
  put(metadata, "a", "2");
  put(metadata, "b_c", "3");
  put(metadata, "d", "");
  CHECK(metadata.values == std::vector<std::pair<std::string, std::string>>{{"a", "2"}, {"b_c", "1"}});
  CHECK(metadata.get("b-c") == "1");
  CHECK(metadata.get("d").empty());
}
