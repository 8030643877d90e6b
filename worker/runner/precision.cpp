#include "worker/runner/precision.h"

#include <array>
#include <string_view>

#include "common/errors.h"

namespace tradewind::runner {
namespace {

struct Spelling {
  std::string_view text;
  config::Precision precision;
};
constexpr std::array<Spelling, 12> kSpellings = {{{"16", config::Precision::f16},
                                                  {"16-mixed", config::Precision::f16},
                                                  {"f16", config::Precision::f16},
                                                  {"float16", config::Precision::f16},
                                                  {"bf16", config::Precision::bf16},
                                                  {"bf16-mixed", config::Precision::bf16},
                                                  {"b16", config::Precision::bf16},
                                                  {"b16-mixed", config::Precision::bf16},
                                                  {"bfloat16", config::Precision::bf16},
                                                  {"32", config::Precision::f32},
                                                  {"f32", config::Precision::f32},
                                                  {"float32", config::Precision::f32}}};

}  // namespace

config::Precision choose_precision(const std::optional<config::Precision>& configured,
                                   const checkpoint::Metadata& metadata, Reporter& reporter) {
  if (configured) return *configured;
  if (metadata.precision.empty()) {
    reporter.warning("neither config nor checkpoint give a precision: using f16");
    return config::Precision::f16;
  }
  for (const Spelling& spelling : kSpellings) {
    if (spelling.text == metadata.precision) return spelling.precision;
  }
  throw UserError("precision '" + metadata.precision + "' of the checkpoint has no counterpart",
                  "config.training.precision of the checkpoint", "set precision: f32, f16 or bf16 in the config");
}

}  // namespace tradewind::runner
