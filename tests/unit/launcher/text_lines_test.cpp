#include "launcher/process/text_lines.h"

#include <doctest/doctest.h>

#include <vector>

using tradewind::launcher::TextLines;

namespace {

std::vector<std::string> lines_of(const std::string& text, std::size_t piece, std::size_t longest) {
  std::vector<std::string> lines;
  TextLines splitter([&](const std::string& line) { lines.push_back(line); }, longest);
  for (std::size_t i = 0; i < text.size(); i += piece) splitter.feed(std::string_view(text).substr(i, piece));
  splitter.end();
  return lines;
}

}  // namespace

TEST_CASE("text comes as lines, the last one without a newline too") {
  for (std::size_t piece = 1; piece < 12; ++piece) {
    CHECK(lines_of("a\n\nbcd\nend", piece, 100) == std::vector<std::string>{"a", "", "bcd", "end"});
    CHECK(lines_of("a\n", piece, 100) == std::vector<std::string>{"a"});
    CHECK(lines_of("", piece, 100).empty());
  }
}

TEST_CASE("an endless line comes in pieces") {
  for (std::size_t piece = 1; piece < 12; ++piece)
    CHECK(lines_of("abcdefghij\nk", piece, 4) == std::vector<std::string>{"abcd", "efgh", "ij", "k"});
  for (std::size_t piece = 1; piece < 12; ++piece)
    CHECK(lines_of("abcdefgh\n\nabcd\n", piece, 4) == std::vector<std::string>{"abcd", "efgh", "", "abcd"});
}
