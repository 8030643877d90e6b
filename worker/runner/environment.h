// What the environment says about how a forecast is made, not what it is. Errors: UserError naming the variable.
#pragma once

#include <cstddef>
#include <string>

namespace tradewind::runner {

// The variable `specific`, else ANEMOI_INFERENCE_NUM_CHUNKS, else 1.
int chunks_from_environment(const char* specific);

// Bytes of one rank's encoded output that may wait to be written: TRADEWIND_OUTPUT_BUFFER, the MiB of all ranks of the
// run together (default 256), shared equally.
std::size_t output_buffer_from_environment(int world_size);

// Libraries with further base runners, as TRADEWIND_PLUGINS lists them; empty: none.
std::string plugins_from_environment();

// What lock files say of the run, as its launcher has given it in TRADEWIND_RUN; empty: it has not.
std::string run_words_from_environment();

}  // namespace tradewind::runner
