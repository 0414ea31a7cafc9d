// Marks are compared as places: the document alone knows how its lines lie in the user's file.
#include "parse/path.h"

#include <optional>

namespace kubejoin::parse {
namespace {

class Search {
 public:
  Search(const Document& document, const Place& place, bool outermost)
      : line_(place.line - document.source->first_line + 1), outermost_(outermost), place_(place), document_(document) {}

  void visit(const Value& value, const std::string& path) {
    take(value.mark, path);
    for (std::size_t i = 0; i < value.items.size(); ++i) visit(value.items[i], path + "[" + std::to_string(i) + "]");
    for (const Value::Member& member : value.members) {
      const std::string inner = path.empty() ? member.key : path + "." + member.key;
      take(member.mark, inner);
      visit(member.value, inner);
    }
  }

  std::optional<std::string> found;

 private:
  void take(Mark mark, const std::string& path) {
    if (mark.line != line_ || (found && outermost_) || document_.place(mark, true).column != place_.column) return;
    found = path;
  }

  int line_;
  bool outermost_;
  const Place& place_;
  const Document& document_;
};

}  // namespace

std::string path_at(const Document& document, const Place& place, bool outermost) {
  if (place.line <= 0 || place.file != document.source->file || place.part != document.source->part) return {};
  Search search(document, place, outermost);
  search.visit(document.root, {});
  return search.found.value_or("");
}

}  // namespace kubejoin::parse
