#include "worker/runner/precision.h"

#include "common/errors.h"
#include "common/precision.h"

namespace tradewind::runner {

Precision choose_precision(const std::optional<Precision>& configured, const checkpoint::Metadata& metadata,
                           report::Reporter& reporter) {
  if (configured) return *configured;
  if (metadata.precision.empty()) {
    reporter.warning("neither config nor checkpoint give a precision: using f16");
    return Precision::f16;
  }
  if (const auto precision = precision_of(metadata.precision)) return *precision;
  throw UserError("precision '" + metadata.precision + "' of the checkpoint has no counterpart",
                  "config.training.precision of the checkpoint", "set precision: f32, f16 or bf16 in the config");
}

Precision precision_named(const std::string& name) {
  if (const auto precision = precision_of(name)) return *precision;
  throw UserError("precision '" + name + "' is not known", "precision", "give f32, f16 or bf16");
}

}  // namespace tradewind::runner
