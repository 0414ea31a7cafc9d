// Document: a tree of values that remember where the user wrote them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kubejoin::parse {

// One text that the user wrote: a file, a MIME part, the content of a write_files entry.
// A text inside another one keeps its own lines; `first_line` is where its first line stands in `file` when that is known
// (a literal block in cloud-config), so that an error names the line of the user's own file; otherwise 1.
struct Source {
  std::string file;     // as the user knows it: path, URI, "-" for stdin, "user-data (ec2)"
  std::string part;     // "part 2", "write_files[0]"; nested: "part 2, write_files[0]"
  std::string text;
  int first_line = 1;
  int first_column = 1;  // indentation of a literal block + 1
};

struct Mark {
  int line = 0;  // 1-based within Source::text
  int column = 0;
};

enum class Type { null, boolean, integer, number, string, list, map };

// A value. Scalars keep the text as written (`text`), so that "0123" and 1e3 are not lost.
struct Value {
  Type type = Type::null;
  std::string text;          // scalar as written, unescaped; string content
  bool plain = false;        // YAML plain scalar (unquoted): YAML 1.1/1.2 traps apply to it
  bool boolean = false;      // Type::boolean
  Mark mark;                 // of the value
  std::vector<Value> items;  // Type::list
  struct Member;
  std::vector<Member> members;  // Type::map, in the user's order, no duplicate keys

  const Value* find(std::string_view key) const;       // map member or nullptr
  const Value* at(std::string_view json_pointer) const;  // RFC 6901, "" is this value; nullptr when absent
  std::string string_or(std::string_view key, std::string_view otherwise) const;
};

struct Value::Member {
  std::string key;
  Mark mark;  // of the key
  Value value;
};

struct Document {
  std::shared_ptr<const Source> source;
  Value root;

  // apiVersion and kind, empty when absent.
  std::string api_version() const { return root.string_or("apiVersion", ""); }
  std::string kind() const { return root.string_or("kind", ""); }
  // The Place of a mark, with the offending line's text unless `secret`.
  Place place(Mark mark, bool secret = false) const;
};

// Limits on what comes from outside; more is an error that names the limit.
struct Limits {
  std::size_t bytes = 4 << 20;
  std::size_t depth = 64;
  std::size_t nodes = 200'000;   // after alias expansion
  std::size_t scalar = 1 << 20;
  bool last_wins = false;  // of equal keys, as PyYAML has it: Yaml::replaced instead of an error
};

// All documents of a multi-document YAML text, or of a JSON text (which is YAML). Duplicate keys, tabs, unknown tags, anchors that
// expand beyond the limits are errors, as many as can be found; empty documents are left out.
// Scalars are resolved as YAML 1.2's core schema does; where YAML 1.1 (which Go's and Python's parsers follow) reads a plain
// scalar differently (no, on, 0777, 1_000, 190:20:30), Value::plain lets schema/ explain it. YAML 1.1's merge key "<<" is
// followed, as kubeadm and cloud-init do. No error shows a line that may hold a secret.
struct Yaml {
  std::vector<Document> documents;
  std::vector<Error> errors;  // Kind::invalid, ids "yaml.*"; documents is empty when there is any
  // With Limits::last_wins: members that a later one with the same key replaced, at any depth; the first 50.
  struct Replaced {
    Value::Member earlier;
    Mark by;        // the later key
    Mark top;       // the key of the root that it is in, or itself
    Error warning;  // "yaml.duplicate-key"
  };
  std::vector<Replaced> replaced;
};
Yaml read_yaml(std::shared_ptr<const Source> source, const Limits& limits = {});

// The value as JSON text (strings escaped, numbers and booleans as such). For the schema validator and for -o json.
std::string to_json(const Value& value);

// Block YAML with sorted or kept keys as Go's sigs.k8s.io/yaml prints it (2 spaces, lists not indented, LF at the end,
// strings that other readers would take for another type are quoted). For kubelet configuration.
std::string to_yaml(const Value& value);

// Builders for values made by the program.
Value make_string(std::string text);
Value make_bool(bool boolean);
Value make_integer(long long integer);
Value make_map();
Value make_list();
Value& set(Value& map, std::string_view key, Value value);  // replaces or appends; returns the stored value

}  // namespace kubejoin::parse
