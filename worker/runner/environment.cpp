#include "worker/runner/environment.h"

#include <charconv>
#include <initializer_list>

#include "common/errors.h"

namespace tradewind::runner {
namespace {

// A whole number from 1 to `most`: of the first of these variables that is there, else `usual`.
long count(const Environment& environment, std::initializer_list<const char*> names, const char* what, long most,
           long usual) {
  for (const char* name : names) {
    const auto text = environment.get(name);
    if (!text) continue;
    long value = 0;
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error == std::errc{} && stop == end && value >= 1 && value <= most) return value;
    throw UserError("'" + *text + "' is no number of " + what, name,
                    "give a whole number from 1 to " + std::to_string(most));
  }
  return usual;
}

int chunks(const Environment& environment, const char* specific) {
  constexpr long most_chunks = 1'000'000;
  return static_cast<int>(count(environment, {specific, "ANEMOI_INFERENCE_NUM_CHUNKS"}, "chunks", most_chunks, 1));
}

}  // namespace

Settings settings_from(const Environment& environment) {
  constexpr long most_mebibytes = 1 << 20;
  Settings settings;
  settings.mapper_chunks = chunks(environment, "ANEMOI_INFERENCE_NUM_CHUNKS_MAPPER");
  settings.processor_chunks = chunks(environment, "ANEMOI_INFERENCE_NUM_CHUNKS_PROCESSOR");
  const long usual = static_cast<long>(settings.output_buffer >> 20);
  settings.output_buffer =
      static_cast<std::size_t>(count(environment, {"TRADEWIND_OUTPUT_BUFFER"}, "MiB", most_mebibytes, usual)) << 20;
  settings.plugins = environment.get_or("TRADEWIND_PLUGINS", "");
  settings.run_words = environment.get_or("TRADEWIND_RUN", "");
  return settings;
}

}  // namespace tradewind::runner
