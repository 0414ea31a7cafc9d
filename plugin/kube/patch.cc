// Strategic merge, RFC 7386 and RFC 6902 on parsed values.
#include "kube/patch.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/text.h"
#include "kube/go.h"

namespace kubejoin::kube {
namespace {

using parse::Type, parse::Value;

constexpr std::size_t kMaxOperations = 1024;
constexpr std::pair<std::string_view, PatchType> kTypes[] = {
    {"strategic", PatchType::strategic}, {"merge", PatchType::merge}, {"json", PatchType::json}};
constexpr std::string_view kKubeletTarget = "kubeletconfiguration";
constexpr std::string_view kTargets[] = {"etcd",         "kube-apiserver",    "kube-controller-manager", "kube-scheduler",
                                         kKubeletTarget, "corednsdeployment", "kubeproxydaemonset"};
constexpr std::string_view kDirective = "$patch", kDeleteFromList = "$deleteFromPrimitiveList/";

tl::unexpected<Error> bad_patch(std::string why) { return fail(Kind::invalid, "kubelet.patch", std::move(why)); }

Value* find(Value& map, std::string_view key) { return const_cast<Value*>(std::as_const(map).find(key)); }

void erase(Value& map, std::string_view key) {
  std::erase_if(map.members, [&](const Value::Member& member) { return member.key == key; });
}

// Copy and add can double a document with every operation: what comes out is held to what may come in.
bool within_limits(const Value& value, std::size_t& nodes, std::size_t depth = 1) {
  constexpr parse::Limits kLimits;
  if (++nodes > kLimits.nodes || depth > kLimits.depth) return false;
  return std::all_of(value.items.begin(), value.items.end(),
                     [&](const Value& item) { return within_limits(item, nodes, depth + 1); }) &&
         std::all_of(value.members.begin(), value.members.end(),
                     [&](const Value::Member& member) { return within_limits(member.value, nodes, depth + 1); });
}
bool within_limits(const Value& value) {
  std::size_t nodes = 0;
  return within_limits(value, nodes);
}

// As RFC 6902 §4.6 compares: numbers by value, members in any order.
bool equal(const Value& a, const Value& b) {
  const auto is_number = [](const Value& value) { return value.type == Type::integer || value.type == Type::number; };
  if (is_number(a) && is_number(b))
    return a.text == b.text || std::strtod(a.text.c_str(), nullptr) == std::strtod(b.text.c_str(), nullptr);
  if (a.type != b.type) return false;
  switch (a.type) {
    case Type::boolean:
      return a.boolean == b.boolean;
    case Type::string:
      return a.text == b.text;
    case Type::list:
      return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
    case Type::map:
      return a.members.size() == b.members.size() &&
             std::all_of(a.members.begin(), a.members.end(), [&](const Value::Member& member) {
               const Value* other = b.find(member.key);
               return other != nullptr && equal(member.value, *other);
             });
    default:
      return true;
  }
}

// ---- strategic merge ----

// What a patch adds where the target has nothing: its value without nulls and without maps that carry a directive.
// Returns whether anything is to be kept.
bool strip_directives(Value& value) {
  if (value.find(kDirective) != nullptr) return false;
  std::erase_if(value.members, [](Value::Member& member) {
    return member.value.type == Type::null || !strip_directives(member.value);
  });
  std::erase_if(value.items, [](Value& item) { return !strip_directives(item); });
  return true;
}

Status merge_strategically(Value& target, const Value& patch);

Status apply_directive(Value& target, const Value& patch, const Value& directive) {
  if (directive.text == "replace") {
    target = patch;
    erase(target, kDirective);
    return {};
  }
  if (directive.text == "delete") {
    target = parse::make_map();
    return {};
  }
  return bad_patch("\"$patch\" is " + quoted(directive.text) + ": only \"replace\" and \"delete\" are known here");
}

Status merge_member(Value& target, const Value::Member& member) {
  const bool removes_items = member.key.starts_with(kDeleteFromList);
  if (member.key.starts_with('$') && !removes_items)
    return bad_patch("the directive " + quoted(member.key) + " means nothing in a KubeletConfiguration");
  const std::string key = removes_items ? member.key.substr(kDeleteFromList.size()) : member.key;
  Value* current = find(target, key);
  if (removes_items) {
    if (current != nullptr)
      std::erase_if(current->items, [&](const Value& item) {
        return std::any_of(member.value.items.begin(), member.value.items.end(),
                           [&](const Value& gone) { return equal(item, gone); });
      });
    return {};
  }
  if (member.value.type == Type::null) {
    erase(target, key);
    return {};
  }
  if (current != nullptr && current->type == Type::map && member.value.type == Type::map)
    return merge_strategically(*current, member.value);
  Value added = member.value;
  if (strip_directives(added))
    parse::set(target, key, std::move(added));
  else
    erase(target, key);
  return {};
}

Status merge_strategically(Value& target, const Value& patch) {
  if (const Value* directive = patch.find(kDirective)) return apply_directive(target, patch, *directive);
  for (const Value::Member& member : patch.members) CHECK_OK(merge_member(target, member));
  return {};
}

// ---- RFC 7386 ----

void merge(Value& target, const Value& patch) {
  if (patch.type != Type::map) {
    target = patch;
    return;
  }
  if (target.type != Type::map) target = parse::make_map();
  for (const Value::Member& member : patch.members) {
    if (member.value.type == Type::null)
      erase(target, member.key);
    else if (Value* current = find(target, member.key))
      merge(*current, member.value);
    else
      merge(parse::set(target, member.key, Value()), member.value);
  }
}

// ---- RFC 6902 ----

using Pointer = std::vector<std::string>;  // RFC 6901, unescaped

Result<Pointer> pointer_of(const Value& operation, std::string_view member) {
  const Value* value = operation.find(member);
  if (value == nullptr || value->type != Type::string) return bad_patch("it lacks " + quoted(member));
  if (value->text.empty()) return Pointer();
  if (value->text[0] != '/')
    return bad_patch(quoted(member) + " is " + quoted(value->text) + ", which does not begin with /");
  Pointer pointer = split(std::string_view(value->text).substr(1), '/');
  for (std::string& token : pointer) token = replace_all(replace_all(token, "~1", "/"), "~0", "~");
  return pointer;
}

std::string shown(const Pointer& pointer) {
  std::string text;
  for (const std::string& token : pointer) text += "/" + token;
  return quoted(text);
}

// The index that a token means in a list of `size`; digits without leading zeros, below `end`.
std::optional<std::size_t> index_of(const std::string& token, std::size_t end) {
  std::size_t index = 0;
  const auto [rest, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool leading_zero = token.size() > 1 && token[0] == '0';
  if (error != std::errc() || rest != token.data() + token.size() || leading_zero || index >= end) return std::nullopt;
  return index;
}

Value* step(Value& from, const std::string& token) {
  if (from.type == Type::map) return find(from, token);
  if (from.type != Type::list) return nullptr;
  const auto index = index_of(token, from.items.size());
  return index ? &from.items[*index] : nullptr;
}

Result<Value*> locate(Value& root, const Pointer& pointer, std::size_t tokens) {
  Value* at = &root;
  for (std::size_t i = 0; i < tokens; ++i)
    if ((at = step(*at, pointer[i])) == nullptr)
      return bad_patch("there is nothing at " + shown({pointer.begin(), pointer.begin() + static_cast<long>(i) + 1}));
  return at;
}
Result<Value*> locate(Value& root, const Pointer& pointer) { return locate(root, pointer, pointer.size()); }

Status add(Value& root, const Pointer& pointer, Value value) {
  if (pointer.empty()) {
    root = std::move(value);
    return {};
  }
  TRY(Value* const parent, locate(root, pointer, pointer.size() - 1));
  const std::string& token = pointer.back();
  if (parent->type == Type::map) {
    parse::set(*parent, token, std::move(value));
    return {};
  }
  if (parent->type != Type::list) return bad_patch("nothing can be added at " + shown(pointer));
  const auto index = token == "-" ? parent->items.size() : index_of(token, parent->items.size() + 1);
  if (!index) return bad_patch("the list has no place " + shown(pointer));
  parent->items.insert(parent->items.begin() + static_cast<long>(*index), std::move(value));
  return {};
}

Result<Value> take(Value& root, const Pointer& pointer) {
  if (pointer.empty()) return bad_patch("the whole document cannot be removed");
  TRY(Value* const found, locate(root, pointer));
  Value taken = std::move(*found);
  TRY(Value* const parent, locate(root, pointer, pointer.size() - 1));
  if (parent->type == Type::map)
    erase(*parent, pointer.back());
  else
    parent->items.erase(parent->items.begin() + static_cast<long>(*index_of(pointer.back(), parent->items.size())));
  return taken;
}

Status apply_operation(Value& root, const Value& operation) {
  const std::string name = operation.string_or("op", "");
  TRY(const Pointer path, pointer_of(operation, "path"));
  const Value* value = operation.find("value");
  if ((name == "add" || name == "replace" || name == "test") && value == nullptr)
    return bad_patch("it lacks \"value\"");
  if (name == "add") return add(root, path, *value);
  if (name == "remove") {
    CHECK_OK(take(root, path));
    return {};
  }
  if (name == "replace") {
    TRY(Value* const found, locate(root, path));
    *found = *value;
    return {};
  }
  if (name == "test") {
    TRY(Value* const found, locate(root, path));
    return equal(*found, *value) ? Status() : bad_patch("the value at " + shown(path) + " is another one");
  }
  if (name != "move" && name != "copy")
    return bad_patch("the operation " + quoted(name) + " is none of add, remove, replace, move, copy, test");
  TRY(const Pointer from, pointer_of(operation, "from"));
  if (name == "copy") {
    TRY(Value* const found, locate(root, from));
    return add(root, path, Value(*found));
  }
  if (path.size() > from.size() && std::equal(from.begin(), from.end(), path.begin()))
    return bad_patch("a value cannot be moved into itself");
  if (path == from) return locate(root, from).map([](Value*) {});
  TRY(Value moved, take(root, from));
  return add(root, path, std::move(moved));
}

// What a patch is to be before it is applied to anything.
Status check_form(PatchType type, const Value& patch) {
  if (type == PatchType::json && patch.type != Type::list) return bad_patch("a JSON patch is a list of operations");
  if (type != PatchType::json && patch.type != Type::map)
    return bad_patch("a " + std::string(type == PatchType::merge ? "merge" : "strategic merge") + " patch is a map");
  if (patch.items.size() > kMaxOperations)
    return bad_patch("it has more than " + std::to_string(kMaxOperations) + " operations");
  return {};
}

Status apply_operations(Value& root, const Value& patch) {
  for (std::size_t i = 0; i < patch.items.size(); ++i) {
    Status done = apply_operation(root, patch.items[i]);
    if (done && !within_limits(root)) done = bad_patch("the document becomes too large or too deep");
    if (!done) return within("apply operation " + std::to_string(i + 1), std::move(done).error());
  }
  return {};
}

}  // namespace

Result<PatchName> read_patch_name(std::string_view file_name) {
  PatchName name;
  const auto known = [&](std::string_view target) { return file_name.starts_with(target); };
  const bool extension = file_name.ends_with(".yaml") || file_name.ends_with(".json");
  const auto* target = std::find_if(std::begin(kTargets), std::end(kTargets), known);
  if (!extension || file_name.size() == std::string_view(".yaml").size()) {
    name.ignored = "the file extension must be one of [json yaml]";
  } else if (target == std::end(kTargets)) {
    name.ignored = "unknown target, must be one of [" + join(std::vector<std::string>(std::begin(kTargets), std::end(kTargets)), " ") + "]";
  } else {
    name.for_kubelet = *target == kKubeletTarget;
    const std::size_t suffix_end = file_name.find_first_of(".+\n", target->size());
    if (file_name[suffix_end] != '+') return name;
    const std::string_view type_text = file_name.substr(suffix_end + 1);
    for (const auto& [text, type] : kTypes)
      if (type_text.starts_with(text)) return name.type = type, name;
    return fail(Kind::invalid, "kubelet.patch",
                "unable to use the patch file " + quoted(file_name) + ": unknown or missing patch type after '+', must be one of [json merge strategic]",
                "name it " + std::string(*target) + "+merge.yaml, for one");
  }
  return name;
}

Result<Value> apply_patch(Value target, PatchType type, const Value& patch) {
  CHECK_OK(check_form(type, patch));
  if (type == PatchType::json) {
    CHECK_OK(apply_operations(target, patch));
  } else if (type == PatchType::merge) {
    merge(target, patch);
  } else {
    CHECK_OK(merge_strategically(target, patch));
  }
  if (!within_limits(target)) return bad_patch("the document becomes too large or too deep");
  return target;
}

namespace {

std::string applying(const PatchFile& file) { return "apply the patch " + quoted(file.name); }

Result<std::vector<parse::Document>> read_documents(const PatchFile& file) {
  const auto source = std::make_shared<parse::Source>();
  source->file = file.name;
  source->text = file.text;
  parse::Yaml read = parse::read_yaml(source);
  if (!read.errors.empty()) {
    Error error = std::move(read.errors[0]);
    error.id = "kubelet.patch";
    return within(applying(file), std::move(error));
  }
  // A file of comments alone patches nothing.
  std::erase_if(read.documents, [](const parse::Document& document) { return document.root.type == Type::null; });
  for (parse::Document& document : read.documents) as_go_reads(document.root);
  return std::move(read.documents);
}

tl::unexpected<Error> at_document(const PatchFile& file, const parse::Document& document, Error error) {
  error.place = document.place(document.root.mark);
  error.hint = "mend the file, or take it out of the folder";
  return within(applying(file), std::move(error));
}

}  // namespace

Status check_patches(const PatchFile& file) {
  TRY(const auto documents, read_documents(file));
  for (const parse::Document& document : documents)
    if (Status form = check_form(file.type, document.root); !form) return at_document(file, document, std::move(form).error());
  return {};
}

Result<Value> apply_patches(Value target, const PatchFile& file) {
  TRY(const auto documents, read_documents(file));
  for (const parse::Document& document : documents) {
    Result<Value> patched = apply_patch(std::move(target), file.type, document.root);
    if (!patched) return at_document(file, document, std::move(patched).error());
    target = std::move(*patched);
  }
  return target;
}

}  // namespace kubejoin::kube
