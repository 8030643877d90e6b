#include "worker/runner/environment.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/errors.h"

namespace tradewind::runner {
namespace {

// A whole number from 1 to `most`.
long count(const char* name, const char* text, const char* what, long most) {
  long value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error == std::errc{} && stop == end && value >= 1 && value <= most) return value;
  throw UserError("'" + std::string(text) + "' is no number of " + what, name,
                  "give a whole number from 1 to " + std::to_string(most));
}

std::string text_of(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

}  // namespace

int chunks_from_environment(const char* specific) {
  constexpr long most_chunks = 1'000'000;
  for (const char* name : {specific, "ANEMOI_INFERENCE_NUM_CHUNKS"}) {
    if (const char* text = std::getenv(name)) return static_cast<int>(count(name, text, "chunks", most_chunks));
  }
  return 1;
}

std::size_t output_buffer_from_environment(int world_size) {
  constexpr long most_mebibytes = 1 << 20, usual_mebibytes = 256;
  const char* name = "TRADEWIND_OUTPUT_BUFFER";
  const char* text = std::getenv(name);
  const long mebibytes = text == nullptr ? usual_mebibytes : count(name, text, "MiB", most_mebibytes);
  return (static_cast<std::size_t>(mebibytes) << 20) / static_cast<std::size_t>(world_size);
}

std::string plugins_from_environment() { return text_of("TRADEWIND_PLUGINS"); }

std::string run_words_from_environment() { return text_of("TRADEWIND_RUN"); }

}  // namespace tradewind::runner
