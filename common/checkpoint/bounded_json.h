// JSON of a stranger, parsed within bounds that are counted before anything is built of it: depth, number of values,
// memory, and the quadratic cost of tables with very many keys. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/checkpoint/metadata.h"

namespace tradewind::checkpoint {

struct JsonBounds {
  std::size_t depth = 200;                // copies of a parsed document recurse
  std::size_t values = 2'000'000;         // the largest known metadata has some 15000
  std::uint64_t bytes = 256ULL << 20;     // that the parsed values take
  std::uint64_t key_steps = 100'000'000;  // keys are held in order, so each is compared with those before it
};

// Discarded when the text is no JSON. UserError when it goes beyond a bound.
Json parse_within(const std::string& text, const JsonBounds& bounds = {});

}  // namespace tradewind::checkpoint
