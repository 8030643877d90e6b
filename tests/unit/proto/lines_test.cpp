#include "proto/lines.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using tradewind::proto::LineReader;
using tradewind::proto::ProtocolError;

TEST_CASE("lines come whole however the bytes arrive") {
  const std::string text = "first\n\nthird line\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    LineReader reader;
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < text.size(); i += piece) {
      reader.feed(std::string_view(text).substr(i, piece));
      while (const auto line = reader.next()) lines.push_back(*line);
    }
    CHECK(lines == std::vector<std::string>{"first", "", "third line"});
    CHECK(reader.rest().empty());
  }
}

TEST_CASE("a half line waits for its end") {
  LineReader reader;
  reader.feed("whole\nhalf");
  CHECK(reader.next() == "whole");
  CHECK_FALSE(reader.next());
  CHECK(reader.rest() == "half");
  reader.feed(" done\n");
  CHECK(reader.next() == "half done");
}

TEST_CASE("a line may be as long as the cap, its newline included, and no longer") {
  LineReader fits(8);
  fits.feed("1234567\n1234567\n");
  CHECK(fits.next() == "1234567");
  CHECK(fits.next() == "1234567");

  LineReader whole(8);
  whole.feed("12345678\n");
  CHECK_THROWS_AS(whole.next(), ProtocolError);

  LineReader endless(8);
  endless.feed("12345678");
  CHECK_FALSE(endless.next());
  endless.feed("9");
  CHECK_THROWS_AS(endless.next(), ProtocolError);

  LineReader second(8);
  second.feed("a\n123456789");
  CHECK(second.next() == "a");
  CHECK_THROWS_AS(second.next(), ProtocolError);
}
