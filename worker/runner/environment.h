// What the environment says about how a forecast is made, not what it is.
#pragma once

#include <cstddef>
#include <string>

#include "common/env.h"

namespace tradewind::runner {

struct Settings {
  // ANEMOI_INFERENCE_NUM_CHUNKS_MAPPER and .._PROCESSOR, else ANEMOI_INFERENCE_NUM_CHUNKS, else 1.
  int mapper_chunks = 1, processor_chunks = 1;
  // TRADEWIND_OUTPUT_BUFFER: bytes of encoded output of all ranks together that may wait to be written.
  std::size_t output_buffer = std::size_t{256} << 20;
  std::string plugins;    // TRADEWIND_PLUGINS: libraries with further base runners; empty: none
  std::string run_words;  // TRADEWIND_RUN: what lock files say of the run; empty: the launcher has not said it
};

// UserError naming the variable.
Settings settings_from(const Environment& environment);

}  // namespace tradewind::runner
