// Fields for tests, without files: every point of a field has one value that follows from variable and date alone, the
// same as the reference's input `dummy` gives.
#pragma once

#include "worker/inputs/input.h"

namespace tradewind::inputs {

class DummyInput : public Input {
 public:
  DummyInput(const config::DummyInputConfig& config, const InputContext& context);
  std::optional<Time> latest_date() override;                    // today 00 UTC
  std::optional<GridPoints> grid_points(std::int64_t) override;  // all at 0, 0
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override;
  std::vector<ListedField> list(const std::vector<std::string>& variables,
                                const std::vector<Time>& dates) const override;

 private:
  const checkpoint::Metadata& metadata_;
};

// A number in [0, 1) with six decimals: the text and the ISO date, read as one little-endian number.
double float_hash(const std::string& text, Time date);

// No fields at all.
class EmptyInput : public Input {
 public:
  EmptyInput(const config::EmptyInputConfig& /*config*/, const InputContext& /*context*/) {}
  std::optional<Time> latest_date() override { return std::nullopt; }
  std::optional<GridPoints> grid_points(std::int64_t) override { return std::nullopt; }
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override;
};

}  // namespace tradewind::inputs
