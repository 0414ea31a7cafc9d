// Patches: file names as upstream's tests have them, RFC 7386 appendix A, RFC 6902 appendix A, and strategic merge
// directives.
#include "kube/patch.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace kubejoin;
using namespace kubejoin::kube;

namespace {

parse::Value value_of(const std::string& text) {
  const auto source = std::make_shared<parse::Source>();
  source->text = text;
  parse::Yaml yaml = parse::read_yaml(source);
  REQUIRE_MESSAGE(yaml.documents.size() == 1, text);
  return yaml.documents[0].root;
}

// The patched target as JSON, or the error's message.
std::string patched(PatchType type, const std::string& target, const std::string& patch) {
  const auto result = apply_patch(value_of(target), type, value_of(patch));
  if (result) return parse::to_json(*result);
  CHECK(result.error().id == "kubelet.patch");
  CHECK(result.error().kind == Kind::invalid);
  return result.error().message;
}

}  // namespace

TEST_CASE("kube::read_patch_name (kubeadm util/patches/patches_test.go, and ours)") {
  using Type = PatchType;
  const struct {
    const char* name;
    Type type;
    bool for_kubelet;
  } kRows[] = {
      {"etcd+merge.json", Type::merge, false},
      {"etcd0.yaml", Type::strategic, false},
      {"kube-apiserver0+merge.yaml", Type::merge, false},
      {"kubeletconfiguration.yaml", Type::strategic, true},
      {"kubeletconfiguration0+merge.yaml", Type::merge, true},
      {"kubeletconfiguration1+json.json", Type::json, true},
      {"kubeletconfiguration-x+strategic.json", Type::strategic, true},
      {"kubeletconfiguration.old+json.yaml", Type::strategic, true},  // the suffix ends at the first dot
  };
  for (const auto& row : kRows) {
    CAPTURE(row.name);
    const auto name = read_patch_name(row.name);
    REQUIRE(name);
    CHECK(name->ignored == "");
    CHECK(name->type == row.type);
    CHECK(name->for_kubelet == row.for_kubelet);
  }
  for (const char* name : {"etcd.foo", "etcd", "kubeletconfiguration+json.yml", ".yaml", ""}) {
    CAPTURE(name);
    CHECK(read_patch_name(name)->ignored == "the file extension must be one of [json yaml]");
  }
  for (const char* name : {"foo.yaml", "kubelet.yaml", "kubelet-configuration.yaml", "KubeletConfiguration.yaml"}) {
    CAPTURE(name);
    CHECK(read_patch_name(name)->ignored ==
          "unknown target, must be one of [etcd kube-apiserver kube-controller-manager kube-scheduler kubeletconfiguration "
          "corednsdeployment kubeproxydaemonset]");
  }
  for (const char* name : {"kubeletconfiguration+foo.json", "kubeletconfiguration+.json", "kubeletconfiguration+JSON.yaml",
                           "etcd+foo.json", "etcd+.json"}) {
    CAPTURE(name);
    REQUIRE_FALSE(read_patch_name(name));
    CHECK(read_patch_name(name).error().id == "kubelet.patch");
  }
}

TEST_CASE("kube::check_patches finds what can be applied to nothing") {
  const auto id = [](PatchType type, const char* text) {
    const Status status = check_patches({type, "p.yaml", text});
    return status ? std::string() : status.error().id + " " + std::to_string(status.error().place.line);
  };
  CHECK(id(PatchType::strategic, "maxPods: 5\n---\n# nothing\n") == "");
  CHECK(id(PatchType::merge, "# comments alone\n") == "");
  CHECK(id(PatchType::json, "- {op: add, path: /a, value: 1}\n") == "");
  CHECK(id(PatchType::json, R"([{"op":"add","path":"/a","value":1}])") == "");
  CHECK(id(PatchType::json, "maxPods: 5\n") == "kubelet.patch 1");
  CHECK(id(PatchType::merge, "a: 1\n---\n- b\n") == "kubelet.patch 3");
  CHECK(id(PatchType::strategic, "a: [1\n") .starts_with("kubelet.patch "));
}

TEST_CASE("kube::apply_patch merges as RFC 7386") {
  const struct {
    const char *target, *patch, *result;
  } kRows[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      {R"({"a":1})", R"({"$patch":"delete"})", R"({"a":1,"$patch":"delete"})"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.patch);
    CHECK(patched(PatchType::merge, row.target, row.patch) == row.result);
  }
  CHECK(patched(PatchType::merge, "{}", "[1]").find("is a map") != std::string::npos);
}

TEST_CASE("kube::apply_patch merges strategically") {
  const struct {
    const char *what, *target, *patch, *result;
  } kRows[] = {
      {"maps merge", "{a: {b: 1, c: 2}, d: 3}", "{a: {c: 4, e: 5}}", R"({"a":{"b":1,"c":4,"e":5},"d":3})"},
      {"lists replace", "{clusterDNS: [10.0.0.1, 10.0.0.2]}", "{clusterDNS: [10.0.0.3]}",
       R"({"clusterDNS":["10.0.0.3"]})"},
      {"lists of maps replace", "{registerWithTaints: [{key: a}, {key: b}]}", "{registerWithTaints: [{key: c}]}",
       R"({"registerWithTaints":[{"key":"c"}]})"},
      {"null removes", "{a: 1, b: {c: 2, d: 3}}", "{a: null, b: {c: null}, x: null}", R"({"b":{"d":3}})"},
      {"types may change", "{a: 1, b: {c: 2}}", "{a: {d: 1}, b: [2]}", R"({"a":{"d":1},"b":[2]})"},
      {"replace here", "{a: {b: 1, c: 2}, d: 3}", "{a: {$patch: replace, e: 5}}", R"({"a":{"e":5},"d":3})"},
      {"replace all", "{a: 1, b: 2}", "{$patch: replace, kind: K}", R"({"kind":"K"})"},
      {"delete here", "{a: {b: 1}, d: 3}", "{a: {$patch: delete}}", R"({"a":{},"d":3})"},
      {"delete what is not there", "{d: 3}", "{a: {$patch: delete}, b: {c: {$patch: delete}, e: null, f: 1}}",
       R"({"d":3,"b":{"f":1}})"},
      {"delete items", "{clusterDNS: [a, b, c], n: [1, 2]}",
       "{$deleteFromPrimitiveList/clusterDNS: [b, x], $deleteFromPrimitiveList/n: [1.0], $deleteFromPrimitiveList/z: "
       "[1]}",
       R"({"clusterDNS":["a","c"],"n":[2]})"},
      {"nothing", "{a: 1}", "{}", R"({"a":1})"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    CHECK(patched(PatchType::strategic, row.target, row.patch) == row.result);
  }
  CHECK(patched(PatchType::strategic, "{a: 1}", "{$patch: merge}").find("\"merge\"") != std::string::npos);
  CHECK(patched(PatchType::strategic, "{a: 1}", "{$setElementOrder/a: [1]}").find("means nothing") !=
        std::string::npos);
  CHECK(patched(PatchType::strategic, "{a: 1}", "[a]").find("is a map") != std::string::npos);
}

TEST_CASE("kube::apply_patch operates as RFC 6902") {
  const struct {
    const char *target, *patch, *result;
  } kGood[] = {
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"foo":"bar","baz":"qux"})"},  // A.1
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
       R"({"foo":["bar","qux","baz"]})"},                                                                      // A.2
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},              // A.3
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},  // A.4
      {R"({"baz":"qux"})", R"([{"op":"replace","path":"/baz","value":"boo"}])", R"({"baz":"boo"})"},           // A.5
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},  // A.6
      {R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
       R"({"foo":["all","cows","eat","grass"]})"},  // A.7
      {R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},  // A.8
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
       R"({"foo":"bar","child":{"grandchild":{}}})"},  // A.10
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
       R"({"foo":"bar","baz":"qux"})"},  // A.11
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10},{"op":"test","path":"/~1","value":9}])",
       R"({"/":9,"~1":10})"},  // A.14
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"},  // A.16
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/c"}])", R"({"a":{"b":1},"c":{"b":1}})"},
      {R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
      {R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])", R"({"b":2})"},
      {R"({"a":1})", R"([{"op":"add","path":"/b","value":null}])", R"({"a":1,"b":null})"},
      {R"({"a":{"x":1,"y":[1]}})", R"([{"op":"test","path":"/a","value":{"y":[1.0],"x":1e0}}])",
       R"({"a":{"x":1,"y":[1]}})"},
      {R"({"":1})", R"([{"op":"remove","path":"/"}])", "{}"},
      {R"({"a":1})", "[]", R"({"a":1})"},
  };
  for (const auto& row : kGood) {
    CAPTURE(row.patch);
    CHECK(patched(PatchType::json, row.target, row.patch) == row.result);
  }
  const struct {
    const char *target, *patch, *says;
  } kBad[] = {
      {R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", "another one"},             // A.9
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])", "nothing at \"/baz\""},  // A.12
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])", "another one"},            // A.15
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/2","value":1}])", "no place"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/01","value":1}])", "no place"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/-1","value":1}])", "no place"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/99999999999999999999","value":1}])", "no place"},
      {R"({"a":[1]})", R"([{"op":"remove","path":"/a/-"}])", "nothing at"},
      {R"({"a":1})", R"([{"op":"remove","path":"/b"}])", "apply operation 1: there is nothing at \"/b\""},
      {R"({"a":1})", R"([{"op":"replace","path":"/b","value":1}])", "nothing at"},
      {R"({"a":1})", R"([{"op":"remove","path":""}])", "whole document"},
      {R"({"a":1})", R"([{"op":"add","path":"/b"}])", "lacks \"value\""},
      {R"({"a":1})", R"([{"op":"add","value":1}])", "lacks \"path\""},
      {R"({"a":1})", R"([{"op":"copy","path":"/b"}])", "lacks \"from\""},
      {R"({"a":1})", R"([{"op":"add","path":"b","value":1}])", "does not begin with /"},
      {R"({"a":1})", R"([{"op":"add","path":"/a/b","value":1}])", "nothing can be added"},
      {R"({"a":1})", R"([{"op":"delete","path":"/a"}])", "is none of"},
      {R"({"a":1})", R"([1])", "lacks \"path\""},
      {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/b/c"}])", "into itself"},
      {R"({"a":1})", R"({"op":"add"})", "list of operations"},
  };
  for (const auto& row : kBad) {
    CAPTURE(row.patch);
    CHECK(patched(PatchType::json, row.target, row.patch).find(row.says) != std::string::npos);
  }
}

TEST_CASE("kube::apply_patch stays bounded") {
  const auto repeated = [](const std::string& operation, int times) {
    std::string patch = "[" + operation;
    for (int i = 1; i < times; ++i) patch += "," + operation;
    return patch + "]";
  };
  const std::string doubling = R"({"op":"copy","from":"/a","path":"/a/-"})",
                    nesting = R"({"op":"copy","from":"/a/0","path":"/a/0/0"})";
  CHECK(patched(PatchType::json, R"({"a":[]})", repeated(doubling, 5)).size() < 1000);
  CHECK(patched(PatchType::json, R"({"a":[1,2,3,4,5,6,7,8,9,10]})", repeated(doubling, 30))
            .find("too large or too deep") != std::string::npos);
  CHECK(patched(PatchType::json, R"({"a":[[]]})", repeated(nesting, 100)).find("too large or too deep") !=
        std::string::npos);
  CHECK(patched(PatchType::json, R"({"a":1})", repeated(R"({"op":"test","path":"/a","value":1})", 1025))
            .find("more than 1024") != std::string::npos);
  CHECK(patched(PatchType::json, R"({"a":1})", repeated(R"({"op":"test","path":"/a","value":1})", 1024)) ==
        R"({"a":1})");
}

TEST_CASE("kube::apply_patches takes every document of a file") {
  const auto result =
      apply_patches(value_of("{a: 1}"), {PatchType::strategic, "p.yaml", "b: 2\n---\n---\n# nothing\n---\na: no\n"});
  REQUIRE(result);
  CHECK(parse::to_json(*result) == R"({"a":false,"b":2})");
  CHECK(parse::to_json(*apply_patches(value_of("{a: 1}"), {PatchType::merge, "empty.yaml", ""})) == R"({"a":1})");

  const auto broken =
      apply_patches(value_of("{a: 1}"), {PatchType::merge, "/p/kubeletconfiguration.yaml", "a: 1\na: 2\n"});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().id == "kubelet.patch");
  CHECK(broken.error().place.line == 2);
  CHECK(broken.error().message.find("/p/kubeletconfiguration.yaml") != std::string::npos);

  const auto failing =
      apply_patches(value_of("{a: 1}"), {PatchType::json, "p.json", "[]\n---\n- {op: remove, path: /x}\n"});
  REQUIRE_FALSE(failing);
  CHECK(failing.error().id == "kubelet.patch");
  CHECK(failing.error().place.file == "p.json");
  CHECK(failing.error().place.line == 3);
}
