// Marks do the work: the user's own lines stay on every value through all upgrades, and flags have marks without a
// line.
#include "config/form.h"

#include <algorithm>

#include "base/secret.h"
#include "base/text.h"

namespace kubejoin::config {
namespace {

using parse::Mark;
using parse::Type;
using parse::Value;

constexpr std::size_t kMostErrors = 100;  // more than anyone reads

bool is_scalar(const Value& value) { return value.type != Type::list && value.type != Type::map; }

bool is_at(const Value& value, Mark mark) { return value.mark.line == mark.line && value.mark.column == mark.column; }

}  // namespace

Form::Form(const parse::Document* document, const schema::Version* version, const schema::Verdict* verdict,
           const schema::Reading& reading, std::string prefix)
    : document_(document),
      version_(version),
      verdict_(verdict),
      reading_(reading),
      prefix_(std::move(prefix)),
      root_(document ? schema::upgrade(*document, *version).root : parse::make_map()) {}

Form::Found Form::walk(std::string_view path) const {
  Found found{&root_, root_.mark};
  while (!path.empty()) {
    const std::string_view key = path.substr(0, path.find('.'));
    const auto& members = found.value->members;
    const auto member =
        std::find_if(members.begin(), members.end(), [&](const Value::Member& m) { return m.key == key; });
    if (member == members.end()) return {nullptr, found.key};
    if (member->value.type == Type::null) return {nullptr, member->mark};
    found = {&member->value, member->mark.line > 0 ? member->mark : member->value.mark};
    path.remove_prefix(std::min(key.size() + 1, path.size()));
  }
  return found;
}

void Form::fill(std::string_view path, Value value, std::string origin) {
  flags_.push_back(std::move(origin));
  value.mark = {0, static_cast<int>(flags_.size())};
  for (Value& item : value.items) item.mark = value.mark;
  for (Value::Member& member : value.members) member.value.mark = value.mark;
  Value* map = &root_;
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
    auto* next = const_cast<Value*>(map->find(path.substr(0, dot)));
    map = next && next->type == Type::map ? next : &parse::set(*map, path.substr(0, dot), parse::make_map());
    path.remove_prefix(dot + 1);
  }
  parse::set(*map, path, std::move(value));
}

const Value* Form::find(std::string_view path) const { return walk(path).value; }

const Value* Form::find_map(std::string_view path) const {
  const Value* value = find(path);
  return value && value->type == Type::map ? value : nullptr;
}

const Value* Form::read(std::string_view path, std::string_view otherwise) {
  const Value* value = find(path);
  const bool given = value && !(value->text.empty() && value->items.empty() && value->members.empty());
  note(path, given ? where(value->mark) : std::string(otherwise));
  return value;
}

std::string Form::text(std::string_view path, std::string_view otherwise) {
  const Value* value = read(path, otherwise);
  return value && is_scalar(*value) ? value->text : std::string();
}

bool Form::truth(std::string_view path) {
  const Value* value = read(path);
  return value && schema::truth(*value);
}

std::vector<std::string> Form::texts(std::string_view path, std::string_view otherwise) {
  std::vector<std::string> all;
  const Value* value = read(path, otherwise);
  if (value && value->type == Type::string && !value->text.empty()) all.push_back(value->text);
  if (value)
    for (const Value& item : value->items)
      if (item.type == Type::string) all.push_back(item.text);
  return all;
}

std::string Form::judged(std::string_view path, Judgement (*rule)(std::string_view), std::string_view otherwise) {
  std::string value = text(path, otherwise);
  if (value.empty() || judge(path, *find(path), rule(value))) return value;
  return {};
}

bool Form::judge(std::string_view path, const Value& value, const Judgement& judgement) {
  if (!judgement || is_template(value.text)) return true;
  error(path, value, *judgement);
  return false;
}

const std::string* Form::flag(Mark mark) const {
  return mark.line == 0 && mark.column > 0 ? &flags_[static_cast<std::size_t>(mark.column) - 1] : nullptr;
}

std::string Form::where(Mark mark) const {
  if (const std::string* origin = flag(mark)) return *origin;
  if (!document_) return "command line";
  const Place place = document_->place(mark, true);
  return (place.part.empty() ? place.file : place.part) + " line " + std::to_string(place.line);
}

std::string Form::name(std::string_view path) const {
  return version_ ? schema::spelling(*version_, path) : std::string(path);
}

bool Form::is_flat() const { return name("discovery.file.kubeConfigPath").find('.') == std::string::npos; }

Error Form::make(const std::string& name, Mark mark, Wrong wrong) const {
  const std::string* origin = flag(mark);
  const std::string field = origin ? origin->substr(origin->find(' ') + 1) : name;
  Error error = fail(Kind::invalid, wrong.id, field + (field.empty() ? "" : ": ") + std::move(wrong.message),
                     std::move(wrong.hint))
                    .value();
  if (origin)
    error.place.file = *origin;
  else if (document_)
    error.place = schema::place(*document_, mark, verdict_->secret_lines);
  else
    error.place.file = "command line";
  return error;
}

// The old `token` fills two fields, and so does --token: what is said of both alike is said once.
void Form::error(std::string_view path, const Value& value, Wrong wrong) {
  std::string field = name(path);
  // A variable that was left over is the cause of what is said of it. Of a token nothing is shown that may be a part of one.
  if (const auto left = left_over(value.text, LeftOver::anywhere); left && !wrong.id.starts_with("config.token")) wrong = placeholder(*left);
  if (document_)
    for (const Value::Member& member : document_->root.members)
      if (is_scalar(value) && is_at(member.value, value.mark)) field = member.key;
  Error error = make(field, value.mark, std::move(wrong));
  const auto said = [&](const Error& e) {
    return e.message == error.message && e.place.line == error.place.line && e.place.column == error.place.column;
  };
  if (errors.size() < kMostErrors && std::none_of(errors.begin(), errors.end(), said))
    errors.push_back(std::move(error));
}

void Form::error(std::string_view path, Wrong wrong) {
  if (errors.size() < kMostErrors) errors.push_back(make(name(path), walk(path).key, std::move(wrong)));
}

void Form::missing(std::string_view path, Wrong wrong) {
  const bool meant =
      verdict_ && std::find(verdict_->meant.begin(), verdict_->meant.end(), name(path)) != verdict_->meant.end();
  if (!meant || !reading_.strict) error(path, std::move(wrong));
}

void Form::warning(std::string_view path, Wrong wrong) {
  warnings.push_back(make(name(path), walk(path).key, std::move(wrong)));
}

void Form::warning(std::string_view path, const Value& value, Wrong wrong) {
  warnings.push_back(make(name(path), value.mark, std::move(wrong)));
}

void Form::forget(std::string_view path) {
  if (const Value* value = find(path)) wipe(const_cast<Value*>(value)->text);
}

void Form::note(std::string_view path, std::string_view origin) {
  origins.emplace_back(prefix_ + std::string(path), origin);
}

}  // namespace kubejoin::config
