// Form: one document in the newest version, flags filled in, that knows where each of its texts was written.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/rules.h"
#include "parse/document.h"
#include "schema/schema.h"

namespace kubejoin::config {

// Paths are dotted, in the newest version's words: "discovery.bootstrapToken.token". Complaints name the field as the
// user knows it: the document's own version spells it, or a flag does.
class Form {
 public:
  // `document` and `version` are null when flags alone fill the form. `prefix` stands before the paths of origins.
  // The document and the verdict must outlive the form.
  Form(const parse::Document* document, const schema::Version* version, const schema::Verdict* verdict,
       const schema::Reading& reading, std::string prefix = {});

  // `origin`: "flag --token". A later flag replaces an earlier one and the document's value.
  void fill(std::string_view path, parse::Value value, std::string origin);

  // The value, or nullptr when it is absent or null (which Go's decoder takes for absent).
  const parse::Value* find(std::string_view path) const;
  const parse::Value* find_map(std::string_view path) const;  // nullptr for another type, too: check() has told

  // These note the origin; `otherwise` is what it says of an absent or empty field: "default", "host name".
  const parse::Value* read(std::string_view path, std::string_view otherwise = "default");
  std::string text(std::string_view path, std::string_view otherwise = "default");  // of a scalar; empty when absent
  bool truth(std::string_view path);
  std::vector<std::string> texts(std::string_view path,
                                 std::string_view otherwise = "default");  // of a list or a single scalar

  // text(), judged when it is not empty and no template; empty when it is wrong.
  std::string judged(std::string_view path, Judgement (*rule)(std::string_view),
                     std::string_view otherwise = "default");
  // One value that was reached otherwise, an item of a list.
  bool judge(std::string_view path, const parse::Value& value, const Judgement& judgement);

  void error(std::string_view path, const parse::Value& value, Wrong wrong);
  void error(std::string_view path, Wrong wrong);    // about all that stands at the path
  void missing(std::string_view path, Wrong wrong);  // unless a misspelt field was meant, which is an error already
  void warning(std::string_view path, Wrong wrong);
  void warning(std::string_view path, const parse::Value& value, Wrong wrong);
  void note(std::string_view path, std::string_view origin);
  void forget(std::string_view path);  // wipes a secret's text

  std::string name(std::string_view path) const;  // as the user knows it
  bool is_flat() const;                           // v1alpha1 to v1alpha3: discovery has no tree
  bool from_flags() const { return document_ == nullptr; }
  bool is_template(std::string_view text) const { return reading_.templates && text.find("{{") != text.npos; }

  std::vector<Error> errors;
  std::vector<Error> warnings;
  std::vector<std::pair<std::string, std::string>> origins;

 private:
  struct Found {
    const parse::Value* value = nullptr;
    parse::Mark key;  // of the deepest part of the path that is there
  };
  Found walk(std::string_view path) const;
  Error make(const std::string& name, parse::Mark mark, Wrong wrong) const;
  const std::string* flag(parse::Mark mark) const;
  std::string where(parse::Mark mark) const;

  const parse::Document* document_;
  const schema::Version* version_;
  const schema::Verdict* verdict_;
  schema::Reading reading_;
  std::string prefix_;
  parse::Value root_;
  std::vector<std::string> flags_;  // a value with the mark {0, n} came from the n-th of them, counted from 1
};

}  // namespace kubejoin::config
