// schema::check beyond its words (those are in config/mistakes_test.cc): secrets, templates, limits, order.
#include <memory>

#include "../test.h"
#include "schema/schema.h"

using namespace kubejoin;
using schema::check;

namespace {

parse::Document read(const std::string& yaml) {
  auto source = std::make_shared<parse::Source>();
  source->file = "join.yaml";
  source->text = yaml;
  parse::Yaml documents = parse::read_yaml(source);
  REQUIRE(documents.errors.empty());
  REQUIRE(documents.documents.size() == 1);
  return documents.documents[0];
}

schema::Verdict verdict_of(const std::string& fields, bool templates = false) {
  const auto document = read("apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n" + fields);
  return check(document, *schema::find_version("kubeadm.k8s.io/v1beta4", "JoinConfiguration"),
               {.strict = true, .templates = templates});
}

bool hides(const schema::Verdict& verdict, int line) {
  for (const schema::Lines& lines : verdict.secret_lines)
    if (lines.first <= line && line <= lines.last) return true;
  return false;
}

std::string all_text(const schema::Verdict& verdict) {
  std::string text;
  for (const auto* list : {&verdict.errors, &verdict.unknown_fields, &verdict.warnings})
    for (const Error& e : *list) text += e.message + "\n" + e.hint + "\n" + e.place.text + "\n";
  return text;
}

}  // namespace

TEST_CASE("schema::check: lines with secrets") {
  const auto verdict = verdict_of(
      "discovery:\n"                       //  3
      "  bootstrapToken:\n"                //  4
      "    token: |\n"                     //  5
      "      abcdef.\n"                    //  6
      "      0123456789abcdef\n"           //  7
      "\n"                                 //  8
      "    apiServerEndpoint: a:1\n"       //  9
      "  tlsBootstrapToken:\n"             // 10
      "    \"abcdef.0123456789abcdef\"\n"  // 11
      "nodeRegistration: {name: n}\n"      // 12
      "controlPlane:\n"                    // 13
      "  certificateKey: 0123\n");         // 14, to the end
  for (int line : {5, 6, 7, 8, 11, 14, 15, 99}) CHECK(hides(verdict, line));
  for (int line : {1, 2, 3, 4, 9, 10, 12, 13}) CHECK_FALSE(hides(verdict, line));
}

TEST_CASE("schema::check: a secret is never shown, wherever it stands and however wrong it is") {
  const char* cases[] = {
      "discovery: {bootstrapToken: {token: SESAME, apiServerEndpoint: 1}}\n",  // the error is about its neighbour
      "discovery: {bootstrapToken: {token: [SESAME]}}\n",
      "discovery: {bootstrapToken: {token: {a: SESAME, b: 1}}}\n",
      "discovery: {bootstrapToken: {tokn: SESAME}}\n",
      "discovery: {bootstrapToken: {Token: SESAME}}\n",
      "discovery: {bootstrapToken: {tls-bootstrap-token: SESAME}}\n",
      "discovery: {}\ntoken: SESAME\n",
      "discovery: {}\ndiscoveryTokn: {x: {y: SESAME}}\n",
      "discovery: [{bootstrapToken: {token: SESAME}}]\n",  // of the wrong type above
      "discovery: {}\ncontrolPlane: {certificateKey: [SESAME], foo: 1}\n",
      "discovery: {}\nkubelet: abcdef.SESAMEsesame1234\n",
  };
  for (const char* yaml : cases) {
    CAPTURE(yaml);
    const std::string text = all_text(verdict_of(yaml));
    CHECK(text != "");
    if (std::string(yaml).find("kubelet:") == std::string::npos) CHECK(text.find("SESAME") == std::string::npos);
  }
  // A token of digits is a number to YAML: its id is shown, its secret is not.
  const auto digits = verdict_of("discovery: {bootstrapToken: {token: 123456.1234567890123456}}\n");
  CHECK(digits.errors.empty());
  REQUIRE(digits.warnings.size() == 1);
  CHECK(digits.warnings[0].id == "schema.yaml-trap");
  CHECK(digits.warnings[0].hint == "quote it: token: \"123456.…\"");
  CHECK(all_text(digits).find("1234567890123456") == std::string::npos);
  const auto number = verdict_of("discovery: {bootstrapToken: {token: 1234567890}}\n");
  REQUIRE(number.errors.size() == 1);
  CHECK(all_text(number).find("1234567890") == std::string::npos);
}

TEST_CASE("schema::check: templates are judged by their type alone") {
  const std::string yaml =
      "discovery: {bootstrapToken: {token: '{{ ds.token }}', apiServerEndpoint: '{{ v1.region }}'}}\nnodeRegistration: "
      "{imagePullPolicy: '{{ x }}', taints: '{{ x }}'}\n";
  CHECK(verdict_of(yaml).errors.size() == 4);
  CHECK(verdict_of(yaml, true).errors.empty());
}

TEST_CASE("schema::check: every mistake, in the order of the text, up to a limit") {
  const auto verdict = verdict_of("discovery: {x: 1, file: {}}\nzzz: 1\ndryRun: 1\ncaCertPath: 1\n");
  REQUIRE(verdict.errors.size() == 3);
  CHECK(verdict.errors[0].place.line == 3);
  CHECK(verdict.errors[1].place.line == 5);
  CHECK(verdict.errors[2].place.line == 6);
  CHECK(verdict.unknown_fields.size() == 2);

  std::string many = "discovery: {}\n";
  for (int i = 0; i < 500; ++i) many += "f" + std::to_string(i) + ": 1\n";
  const auto flood = verdict_of(many);
  CHECK(flood.unknown_fields.size() == 100);
  REQUIRE(flood.errors.size() == 1);
  CHECK(flood.errors[0].id == "schema.too-many");
}

TEST_CASE("schema::check: what a misspelt field was meant to be") {
  const auto verdict = verdict_of("discovery: {bootstraptoken: {}, file: {kubeconfigPath: /x}}\n");
  CHECK(verdict.meant == std::vector<std::string>{"discovery.bootstrapToken", "discovery.file.kubeConfigPath"});
}

TEST_CASE("schema::truth") {
  const auto root = read("a: true\nb: yes\nc: On\nd: no\ne: 'yes'\nf: false\ng: 1\nh: TRUE\n").root;
  for (const char* key : {"a", "b", "c", "h"}) CHECK(schema::truth(*root.find(key)));
  for (const char* key : {"d", "e", "f", "g"}) CHECK_FALSE(schema::truth(*root.find(key)));
}
