#include "common/checkpoint/bounded_json.h"

#include <doctest/doctest.h>

#include <string>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

std::string refusal(const std::string& text, const JsonBounds& bounds) {
  try {
    (void)parse_within(text, bounds);
  } catch (const UserError& error) {
    return error.message();
  }
  return "";
}

bool says(const std::string& message, const char* part) { return message.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a document within its bounds is what it is, order kept") {
  const Json document = parse_within(R"({"b": [1, 2.5, null, true], "a": {"b": "c"}})");
  CHECK(document.dump() == R"({"b":[1,2.5,null,true],"a":{"b":"c"}})");
  CHECK(parse_within("{").is_discarded());
  CHECK(parse_within(R"({"a": NaN})").is_discarded());
}

TEST_CASE("each bound holds exactly") {
  CHECK(refusal("[[[]]]", {.depth = 3}).empty());
  CHECK(says(refusal("[[[[]]]]", {.depth = 3}), "nested deeper than 3"));
  CHECK(refusal("[1, 2, {}]", {.values = 4}).empty());
  CHECK(says(refusal("[1, 2, {}, 3]", {.values = 4}), "more than 4 values"));
  // The n-th key of a table is compared with n - 1.
  CHECK(refusal(R"({"a": 1, "b": 1, "c": 1})", {.key_steps = 3}).empty());
  CHECK(says(refusal(R"({"a": 1, "b": 1, "c": 1, "d": 1})", {.key_steps = 3}), "too many keys"));
  // Tables beside and inside each other are counted each for itself.
  CHECK(refusal(R"([{"a": 1, "b": {"a": 1, "b": 1}, "c": 1}, {"a": 1}])", {.key_steps = 4}).empty());
  const std::string long_text(1 << 20, 'x');
  CHECK(refusal("[\"" + long_text + "\"]", {.bytes = 2 << 20}).empty());
  CHECK(says(refusal("[\"" + long_text + "\"]", {.bytes = 1 << 20}), "more than 1 MiB of memory"));
  CHECK(says(refusal("{\"" + long_text + "\": 0}", {.bytes = 1 << 20}), "more than 1 MiB of memory"));
}
