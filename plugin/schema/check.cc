// Words for what a document breaks: where, what, why, and what to write instead. All of it comes from the schemas.
#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "base/secret.h"
#include "base/text.h"
#include "schema/schema.h"
#include "schema/validate.h"

namespace kubejoin::schema {
namespace {

using parse::Document;
using parse::Mark;
using parse::Type;
using parse::Value;
using Schema = rapidjson::Value;

constexpr std::size_t kMostErrors = 100;  // more than anyone reads
constexpr std::size_t kShown = 64;        // bytes of a value in a message

// ---- looking into schemas ---------------------------------------------------------------------------------

std::string text_of(const Schema& json) { return {json.GetString(), json.GetStringLength()}; }

rapidjson::Document parse_schema(const Version& version) {
  rapidjson::Document schema;
  const std::string_view text = schema_text(version);
  schema.Parse(text.data(), text.size());
  return schema;
}

const Schema* get(const Schema& schema, const char* keyword) {
  const auto found = schema.FindMember(keyword);
  return found == schema.MemberEnd() ? nullptr : &found->value;
}

bool takes(const Schema& schema, std::string_view type) {
  const Schema* types = get(schema, "type");
  if (!types) return false;
  if (types->IsString()) return text_of(*types) == type;
  return std::any_of(types->Begin(), types->End(), [&](const Schema& one) { return text_of(one) == type; });
}

std::vector<std::string> properties_of(const Schema& schema) {
  std::vector<std::string> names;
  if (const Schema* properties = get(schema, "properties"))
    for (const auto& property : properties->GetObject()) names.push_back(text_of(property.name));
  return names;
}

// Every field of a schema as a dotted path: taints, taints[].key.
void collect_paths(const Schema& schema, const std::string& prefix, std::vector<std::string>& into) {
  if (const Schema* items = get(schema, "items")) return collect_paths(*items, prefix + "[]", into);
  const Schema* properties = get(schema, "properties");
  if (!properties) return;
  for (const auto& property : properties->GetObject()) {
    const std::string path = prefix + (prefix.empty() ? "" : ".") + text_of(property.name);
    into.push_back(path);
    collect_paths(property.value, path, into);
  }
}

std::vector<std::string> paths_of(const Version& version) {
  std::vector<std::string> paths;
  collect_paths(parse_schema(version), "", paths);
  return paths;
}

// "taints[0].key" -> taints, key.
std::vector<std::string> keys_of(std::string_view path) {
  std::vector<std::string> keys;
  for (const std::string& step : split(path, '.'))
    if (const std::string key = step.substr(0, step.find('[')); !key.empty()) keys.push_back(key);
  return keys;
}

std::string child(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

std::string last_key(std::string_view path) {
  const auto keys = keys_of(path);
  return keys.empty() ? "" : keys.back();
}

// How people vary a name: api-server_endpoint and APIServerEndpoint are apiServerEndpoint.
std::string squash(std::string_view name) {
  std::string squashed = lower(name);
  std::erase_if(squashed, [](char c) { return c == '-' || c == '_'; });
  return squashed;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const auto same = std::find_if(candidates.begin(), candidates.end(),
                                 [&](const std::string& c) { return squash(c) == squash(word); });
  return same != candidates.end() ? std::optional(*same) : did_you_mean(word, candidates);
}

// JSON as people write it into YAML: {name: "v", value: "4"}.
std::string flow(const Schema& json) {
  std::string out, separator;
  const auto next = [&] { out += std::exchange(separator, ", "); };
  if (json.IsObject()) {
    for (const auto& member : json.GetObject()) {
      next();
      out += text_of(member.name) + ": " + flow(member.value);
    }
    return "{" + out + "}";
  }
  if (json.IsArray()) {
    for (const Schema& item : json.GetArray()) {
      next();
      out += flow(item);
    }
    return "[" + out + "]";
  }
  if (json.IsString()) return "\"" + text_of(json) + "\"";
  if (json.IsBool()) return json.GetBool() ? "true" : "false";
  return std::to_string(json.GetInt64());
}

// `key: example`, or nothing to copy.
std::string example(const std::string& key, const Schema& schema) {
  const Schema* examples = get(schema, "examples");
  const Schema* one = examples ? &(*examples)[0] : get(schema, "default");
  return one ? (key.empty() ? "" : key + ": ") + flow(*one) : "";
}

std::string because(const std::string& hint, std::string_view start) {
  return hint.empty() ? "" : std::string(start) + hint;
}

// ---- words ------------------------------------------------------------------------------------------------

std::string_view name_of(Type type) {
  switch (type) {
    case Type::null:
      return "empty";
    case Type::boolean:
      return "a boolean";
    case Type::integer:
    case Type::number:
      return "a number";
    case Type::string:
      return "a string";
    case Type::list:
      return "a list";
    case Type::map:
      return "a map";
  }
  return "";
}

std::string_view name_of(std::string_view type) {
  if (type == "object") return "a map";
  if (type == "array") return "a list";
  if (type == "boolean") return "true or false";
  return type == "integer" ? "a whole number" : "a string";
}

std::string types_of(const Schema& schema) {
  const Schema& types = schema["type"];
  if (types.IsString()) return std::string(name_of(text_of(types)));
  std::vector<std::string> names;
  for (const Schema& one : types.GetArray()) names.emplace_back(name_of(text_of(one)));
  return join(names, " or ");
}

bool is_own_kind(const Version& version) { return !version.api_version.starts_with("kubeadm.k8s.io/"); }

bool is_template(const Value& value) {
  return value.type == Type::string && value.text.find("{{") != std::string::npos;
}

bool is_unknown_field(const Violation& broken) { return broken.keyword == "additionalProperties"; }

bool is_scalar(const Value& value) { return value.type != Type::list && value.type != Type::map; }

bool is_yaml11_boolean(const Value& value) {
  static const std::set<std::string> kWords = {"y", "n", "yes", "no", "on", "off"};
  return value.type == Type::string && value.plain && kWords.count(lower(value.text)) != 0;
}

// Quotes are all that is missing.
bool fits_quoted(const Violation& broken) {
  if (!takes(*broken.schema, "string") || !is_scalar(*broken.value)) return false;
  Value text = *broken.value;
  text.type = Type::string;
  return violations(text, *broken.schema, Nulls::strict, 1).empty();
}

// "v1alpha2", "v1alpha2 to v1beta3": the versions of the same group for which `holds` does.
template <class Holds>
std::string versions_where(const Version& of, const Holds& holds) {
  const std::string_view group = of.api_version.substr(0, of.api_version.find('/'));
  std::string_view first, last;
  for (const Version& version : versions()) {
    if (!version.api_version.starts_with(group) || &version == &of || !holds(version)) continue;
    if (first.empty()) first = version.name;
    last = version.name;
  }
  const bool neighbours = !first.empty() && std::adjacent_find(versions().begin(), versions().end(),
                                                               [&](const Version& a, const Version& b) {
                                                                 return a.name == first && b.name == last;
                                                               }) != versions().end();
  return first == last ? std::string(first) : std::string(first) + (neighbours ? " and " : " to ") + std::string(last);
}

class Explainer {
 public:
  Explainer(const Document& document, const Version& version, const Reading& reading, Verdict& verdict)
      : document_(document), version_(version), reading_(reading), verdict_(verdict) {}

  void explain(const Violation& broken);

 private:
  struct Words {
    std::string_view id;
    std::string message;
    std::string hint;
  };
  void add(std::vector<Error>& to, Mark mark, Words words) {
    Error error = fail(Kind::invalid, words.id, std::move(words.message), std::move(words.hint)).value();
    error.place = place(document_, mark, verdict_.secret_lines);
    to.push_back(std::move(error));
  }

  Words required(const Violation& broken) const;
  Words unknown_field(const Violation& broken);
  Words wrong_type(const Violation& broken) const;
  Words forgiven(const Violation& broken) const;
  Words wrong_content(const Violation& broken) const;

  std::string hint_for_type(const Violation& broken) const;
  std::string hint_for_home(const Violation& broken) const;

  bool is_meant(const std::string& path) const {
    return std::find(verdict_.meant.begin(), verdict_.meant.end(), path) != verdict_.meant.end();
  }
  std::string label(const std::string& path) const { return path.empty() ? std::string(version_.kind) : path; }
  // What stands there, as far as it may be shown: a token's id is public.
  std::string shown(const Violation& broken) const {
    if (!broken.secret) return quoted(broken.value->text, kShown);
    const std::string safe = without_tokens(broken.value->text);
    return safe == broken.value->text ? "" : "\"" + safe + "\"";
  }

  const Document& document_;
  const Version& version_;
  const Reading& reading_;
  Verdict& verdict_;
};

void Explainer::explain(const Violation& broken) {
  const Value& value = *broken.value;
  const Mark key = broken.member ? broken.member->mark : value.mark;
  if (is_unknown_field(broken)) return add(verdict_.unknown_fields, key, unknown_field(broken));
  if (broken.keyword == "required") {
    const Value* empty = value.find(broken.missing);
    if (reading_.strict && is_meant(child(broken.path, std::string(broken.missing)))) return;
    return add(verdict_.errors, empty ? empty->mark : key, required(broken));
  }
  if (broken.keyword != "type") return add(verdict_.errors, value.mark, wrong_content(broken));
  const bool token_of_digits = broken.secret && value.plain && fits_quoted(broken);
  const bool meant = token_of_digits || (is_yaml11_boolean(value) && takes(*broken.schema, "boolean"));
  if (meant)
    add(verdict_.warnings, value.mark, forgiven(broken));
  else
    add(verdict_.errors, value.mark, wrong_type(broken));
}

Explainer::Words Explainer::required(const Violation& broken) const {
  const std::string name(broken.missing);
  const std::string path = child(broken.path, name);
  const bool there = broken.value->find(name) != nullptr;
  const Schema* field = subschema(*broken.schema, {name});
  return {"schema.required", path + (there ? " is empty, but required" : " is required"),
          field ? because(example(name, *field), "write ") : ""};
}

Explainer::Words Explainer::unknown_field(const Violation& broken) {
  const std::string& key = broken.member->key;
  const auto meant = nearest(key, properties_of(*broken.schema));
  std::string message = "unknown field " + quoted(key, kShown) + " in " + label(broken.path);
  if (meant) {
    verdict_.meant.push_back(child(broken.path, *meant));
    return {"schema.unknown-field", message + " (did you mean \"" + *meant + "\"?)", ""};
  }
  return {"schema.unknown-field", std::move(message), hint_for_home(broken)};
}

// Where a field belongs that is unknown where it stands: elsewhere in this version, or in another version.
std::string Explainer::hint_for_home(const Violation& broken) const {
  const std::string& key = broken.member->key;
  constexpr std::size_t kMostHomes = 3;
  std::vector<std::string> homes;
  for (const std::string& known : paths_of(version_))
    if (squash(last_key(known)) == squash(key)) homes.push_back(known);
  if (!homes.empty() && homes.size() <= kMostHomes) return "it belongs here: " + join(homes, ", or ");

  std::vector<std::string> keys = keys_of(broken.path);
  keys.push_back(key);
  const std::string here = join(keys, ".");
  const std::string others =
      versions_where(version_, [&](const Version& other) { return subschema(parse_schema(other), keys) != nullptr; });
  if (others.empty()) return "known here: " + join(properties_of(*broken.schema), ", ");
  const std::string hint = "it is a field of " + others;
  const rapidjson::Document own = parse_schema(version_);
  const Version* newest = &version_;
  while (newest->upgrade) ++newest;
  for (const std::string& modern : paths_of(*newest)) {
    const std::string name = spelling(version_, modern);
    const bool moved = std::any_of(versions().begin(), versions().end(), [&](const Version& other) {
      return !is_own_kind(other) && spelling(other, modern) == here;
    });
    if (moved && subschema(own, keys_of(name))) return hint + "; in " + std::string(version_.name) + " it is " + name;
  }
  return hint + "; change apiVersion, or remove it";
}

Explainer::Words Explainer::wrong_type(const Violation& broken) const {
  const Value& value = *broken.value;
  const std::string_view is =
      value.type == Type::string && value.text.empty() ? "an empty string" : name_of(value.type);
  return {"schema.type", label(broken.path) + " must be " + types_of(*broken.schema) + ", not " + std::string(is),
          hint_for_type(broken)};
}

std::string Explainer::hint_for_type(const Violation& broken) const {
  constexpr std::size_t kLongestOctal = 21;  // of 64 bits
  const Value& value = *broken.value;
  const Schema& schema = *broken.schema;
  const std::string key = last_key(broken.path);
  const std::string start = broken.member ? key + ": " : "- ";
  if (value.type == Type::null)
    return takes(schema, "string") ? "write " + start + "\"\" for an empty text"
                                   : because(example(key, schema), "write ");

  if (fits_quoted(broken)) {
    const std::string text = shown(broken);
    if (text.empty()) return "quote it";
    std::string hint = "quote it: " + start + text;
    const bool octal = value.plain && value.text.size() > 1 && value.text.size() <= kLongestOctal &&
                       value.text[0] == '0' && value.text.find_first_not_of("01234567") == std::string::npos;
    if (octal)
      hint += " (unquoted, kubeadm reads it as the octal number " +
              std::to_string(std::stoull(value.text, nullptr, 8)) + ")";
    return hint;
  }
  if (value.type == Type::string && !broken.secret) {
    const bool boolean = takes(schema, "boolean") && (value.text == "true" || value.text == "false");
    const bool number = takes(schema, "integer") && !value.text.empty() &&
                        value.text.find_first_not_of("0123456789") == std::string::npos;
    if (boolean || number) return "remove the quotes: " + start + value.text;
  }
  if (takes(schema, "array") && is_scalar(value) && !broken.secret && takes(schema["items"], "string")) {
    std::vector<std::string> items;
    for (const std::string& item : split(value.text, ',')) items.push_back(quoted(trim(item), 2 * kShown));
    return "write it as a list: " + start + "[" + join(items, ", ") + "]";
  }
  if (takes(schema, "boolean")) return "write true or false";
  std::string hint = because(example(broken.member ? key : "", schema), broken.member ? "write " : "write - ");
  const std::string others = is_scalar(value) ? "" : versions_where(version_, [&](const Version& other) {
    const rapidjson::Document whole = parse_schema(other);
    const Schema* field = subschema(whole, keys_of(broken.path));
    return field && takes(*field, value.type == Type::list ? "array" : "object");
  });
  if (!others.empty())
    hint += (hint.empty() ? "" : "; ") + std::string(name_of(value.type)) + " is the form of " + others;
  return hint;
}

Explainer::Words Explainer::forgiven(const Violation& broken) const {
  const std::string start = last_key(broken.path) + ": ";
  if (broken.secret)
    return {"schema.yaml-trap",
            broken.path + " reads as a number in YAML; it is taken as the text it is, but kubeadm would refuse it",
            "quote it: " + start + shown(broken)};
  const std::string meaning = truth(*broken.value) ? "true" : "false";
  return {"schema.yaml-trap",
          broken.path + ": " + broken.value->text + " is read as " + meaning +
              ", as kubeadm does; YAML 1.2 takes it for a text",
          "write " + start + meaning};
}

Explainer::Words Explainer::wrong_content(const Violation& broken) const {
  const Schema& schema = *broken.schema;
  const std::string name = label(broken.path);
  const bool number = broken.value->type == Type::integer || broken.value->type == Type::number;
  const std::string not_this =
      broken.secret ? ""
                    : ", not " + (number ? printable(broken.value->text, kShown) : quoted(broken.value->text, kShown));
  if (broken.keyword == "const") return {"schema.enum", name + " must be " + flow(schema["const"]) + not_this, ""};
  if (broken.keyword == "enum") {
    std::vector<std::string> allowed;
    for (const Schema& one : schema["enum"].GetArray())
      if (one.GetStringLength() != 0) allowed.push_back(text_of(one));
    const auto meant =
        broken.value->type == Type::string && !broken.secret ? nearest(broken.value->text, allowed) : std::nullopt;
    return {"schema.enum", name + " must be one of " + join(allowed, ", ") + not_this,
            meant ? "did you mean \"" + *meant + "\"?" : ""};
  }
  if (broken.keyword == "maxLength")
    return {"schema.length",
            name + " is too long: at most " + std::to_string(schema["maxLength"].GetUint()) + " characters", ""};
  if (broken.keyword == "pattern")
    return {"schema.pattern", name + " has not the right form" + not_this,
            because(example(broken.member ? last_key(broken.path) : "", schema), "it looks like ")};
  return {"schema.range",
          name + " must be from " + std::to_string(schema["minimum"].GetInt()) + " to " +
              std::to_string(schema["maximum"].GetInt()) + not_this,
          ""};
}

// ---- secrets ----------------------------------------------------------------------------------------------

void collect_secret_names(const Schema& schema, std::set<std::string>& into) {
  if (!schema.IsObject()) return;
  for (const char* keyword : {"items", "additionalProperties"})
    if (const Schema* inner = get(schema, keyword)) collect_secret_names(*inner, into);
  const Schema* properties = get(schema, "properties");
  if (!properties) return;
  for (const auto& property : properties->GetObject()) {
    if (get(property.value, "x-kubejoin-secret")) into.insert(squash(text_of(property.name)));
    collect_secret_names(property.value, into);
  }
}

// Goes by name, not by place: a token that stands where it does not belong is a token all the same, and so is another
// version's.
class SecretLines {
 public:
  SecretLines(const Schema& schema, const std::vector<Violation>& broken) {
    collect_secret_names(schema, names_);
    if (!broken.empty())
      for (const Version& version : versions()) collect_secret_names(parse_schema(version), names_);
    for (const std::string& name : names_) longest_ = std::max(longest_, 2 * name.size());
    const std::vector<std::string> names(names_.begin(), names_.end());
    for (const Violation& one : broken)
      if (is_unknown_field(one) && did_you_mean(squash(one.member->key), names)) misspelt_.insert(one.member);
  }

  void visit(const Value& value, bool secret) {
    pass(value.mark.line);
    if (secret) {
      lines.push_back({value.mark.line, std::numeric_limits<int>::max()});
      open_ = true;
    }
    for (const Value& item : value.items) visit(item, secret);
    for (const Value::Member& member : value.members) {
      pass(member.mark.line);
      const bool named = member.key.size() <= longest_ && names_.count(squash(member.key)) != 0;
      visit(member.value, secret || named || misspelt_.count(&member) != 0);
    }
  }

  std::vector<Lines> lines;

 private:
  // A scalar's last line is not known, only where the next thing begins.
  void pass(int line) {
    if (open_) lines.back().last = std::max(lines.back().first, line - 1);
    open_ = false;
  }

  std::set<std::string> names_;
  std::size_t longest_ = 0;
  std::set<const Value::Member*> misspelt_;
  bool open_ = false;
};

// ---- YAML 1.1 ---------------------------------------------------------------------------------------------

// A plain no, yes, on or off where a text stands is a text here and to YAML 1.2, but a boolean to kubeadm.
class Traps {
 public:
  explicit Traps(const Document& document, Verdict& verdict) : document_(document), verdict_(verdict) {}

  void visit(const Value& value, const Schema& schema, const std::string& path, const std::string& key) {
    if (!schema.IsObject()) return;
    if (is_yaml11_boolean(value) && takes(schema, "string") && !takes(schema, "boolean")) add(value, path, key);
    if (const Schema* items = get(schema, "items"); items && value.type == Type::list)
      for (std::size_t i = 0; i < value.items.size(); ++i) visit(value.items[i], *items, path + "[" + std::to_string(i) + "]", "");
    const Schema* properties = get(schema, "properties");
    const Schema* others = get(schema, "additionalProperties");
    for (const Value::Member& member : value.members) {
      const Schema* known = properties ? get(*properties, member.key.c_str()) : nullptr;
      if (known || others) visit(member.value, known ? *known : *others, child(path, member.key), member.key);
    }
  }

 private:
  void add(const Value& value, const std::string& path, const std::string& key) {
    if (verdict_.warnings.size() >= kMostErrors) return;
    Error e = fail(Kind::invalid, "schema.yaml-trap",
                   path + ": " + value.text + " is a boolean in YAML 1.1; it is taken as the text it is, but kubeadm would refuse it",
                   "quote it: " + (key.empty() ? "" : key + ": ") + "\"" + value.text + "\"").value();
    e.place = place(document_, value.mark, verdict_.secret_lines);
    verdict_.warnings.push_back(std::move(e));
  }

  const Document& document_;
  Verdict& verdict_;
};

void sort_by_place(std::vector<Error>& errors) {
  std::stable_sort(errors.begin(), errors.end(), [](const Error& a, const Error& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
}

}  // namespace

Verdict check(const Document& document, const Version& version, const Reading& reading) {
  const rapidjson::Document schema = parse_schema(version);
  auto broken = violations(document.root, schema, Nulls::as_absent, kMostErrors + 1);
  const bool too_many = broken.size() > kMostErrors;
  if (too_many) broken.pop_back();

  Verdict verdict;
  SecretLines secrets(schema, broken);
  secrets.visit(document.root, false);
  verdict.secret_lines = std::move(secrets.lines);

  // Misspelt fields first: they tell what is not missing.
  std::stable_partition(broken.begin(), broken.end(), is_unknown_field);
  Explainer explainer(document, version, reading, verdict);
  for (const Violation& one : broken)
    if (is_unknown_field(one) || !reading.templates || !is_template(*one.value)) explainer.explain(one);
  if (!is_own_kind(version)) Traps(document, verdict).visit(document.root, schema, "", "");
  for (auto* errors : {&verdict.errors, &verdict.unknown_fields, &verdict.warnings}) sort_by_place(*errors);
  if (too_many) {
    verdict.errors.push_back(fail(Kind::invalid, "schema.too-many",
                                  "more than " + std::to_string(kMostErrors) + " mistakes; the rest is not shown")
                                 .value());
    verdict.errors.back().place = document.place({});
  }
  return verdict;
}

Place place(const Document& document, Mark mark, std::span<const Lines> secret_lines) {
  const bool secret = std::any_of(secret_lines.begin(), secret_lines.end(),
                                  [&](const Lines& l) { return l.first <= mark.line && mark.line <= l.last; });
  return document.place(mark, secret);
}

}  // namespace kubejoin::schema
