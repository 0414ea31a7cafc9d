// Fuzzes read_shell() and judge_scripts(): a script, and the same text as an item of runcmd.
#include <cstdint>
#include <cstdlib>

#include "config/user_data.h"
#include "parse/shell.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kubejoin;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const parse::ShellText shell = parse::read_shell(parse::trace(bytes));
  const auto check = [&](const parse::Word& word) {
    if (word.text.bytes.size() != word.text.from.size()) std::abort();
    for (const std::uint32_t from : word.text.from)
      if (from >= size) std::abort();
    for (const parse::Expansion& e : word.expansions)
      if (e.at + e.size > word.bytes().size()) std::abort();
  };
  for (const parse::Command& command : shell.commands)
    for (const auto* list : {&command.assignments, &command.words, &command.outputs})
      for (const parse::Word& word : *list) check(word);
  for (const parse::WrittenFile& file : shell.files) check(file.text);

  std::string indented = "#cloud-config\nruncmd:\n- |\n  #\n  ";
  for (const char c : bytes) indented += c == '\n' ? std::string("\n  ") : std::string(1, c);
  for (const std::string& text : {"#!/bin/sh\n" + std::string(bytes), indented + "\n- " + std::string(bytes)}) {
    const config::UserData read = config::read_user_data(text, "user-data", nullptr, {}, {.hostname = "localhost"});
    for (const auto* list : {&read.commands.errors, &read.commands.warnings})
      for (const Error& error : *list)
        if (error.kind != Kind::invalid || error.id.empty() || error.place.file != "user-data") std::abort();
  }
  return 0;
}
