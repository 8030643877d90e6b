#include "worker/nn/tendency_rows.h"

#include <ATen/ATen.h>

#include "common/errors.h"
#include "worker/nn/move.h"

namespace tradewind::nn {
namespace {

const checkpoint::NormalizerDescription* normalizer_of(const checkpoint::DatasetDescription& dataset) {
  for (const auto& each : dataset.preprocessors) {
    if (const auto* normalizer = std::get_if<checkpoint::NormalizerDescription>(&each)) return normalizer;
  }
  return nullptr;
}

at::Tensor values(const std::vector<float>& given, std::int64_t expected) {
  if (static_cast<std::int64_t>(given.size()) == expected) return at::tensor(given, at::kFloat);
  throw UserError("statistics of " + std::to_string(given.size()) + " variables for " + std::to_string(expected),
                  "post_processors_tendencies", "the checkpoint is damaged or of an unknown layout");
}

}  // namespace

TendencyRows::TendencyRows(const checkpoint::DatasetDescription& dataset,
                           const preprocess::Preprocessing& preprocessing)
    : preprocessing_(preprocessing),
      prognostic_input_(at::tensor(dataset.prognostic_input, at::kLong)),
      prognostic_output_(at::tensor(dataset.prognostic_output, at::kLong)) {
  if (!dataset.tendency || static_cast<std::int64_t>(dataset.tendency->steps.size()) != dataset.output_steps) {
    throw InternalFault("tendencies without the statistics of each step");
  }
  for (const checkpoint::ScaleDescription& step : dataset.tendency->steps) {
    steps_.push_back({values(step.multiply, dataset.output_variables), values(step.add, dataset.output_variables)});
  }
  if (const auto* state = normalizer_of(dataset)) {
    reference_.multiply = values(state->input_multiply, dataset.input_variables).index_select(0, prognostic_input_);
    reference_.add = values(state->input_add, dataset.input_variables).index_select(0, prognostic_input_);
  }
}

void TendencyRows::move_to(at::Device device) {
  move_all(device, prognostic_input_, prognostic_output_, reference_.multiply, reference_.add);
  for (Scale& step : steps_) move_all(device, step.multiply, step.add);
}

void TendencyRows::operator()(const at::Tensor& answer, std::int64_t first, const at::Tensor& x, const at::Tensor& skip,
                              at::Tensor& y) const {
  const std::int64_t rows = answer.size(0), variables = y.size(2);
  // What is missing is so at the latest time, which the reference processes on its own.
  at::Tensor state = x.select(0, x.size(0) - 1).narrow(0, first, rows).clone();
  const at::Tensor masks = preprocessing_.masks(state);
  at::Tensor reference;
  if (skip.defined()) {
    reference = skip.narrow(0, first, rows).clone();
  } else {
    preprocessing_.forward(state, masks);
    reference = state.index_select(1, prognostic_input_);
  }
  if (reference_.multiply.defined()) reference.sub_(reference_.add).div_(reference_.multiply);
  for (std::int64_t step = 0; step < y.size(0); ++step) {
    const Scale& scale = steps_.at(static_cast<std::size_t>(step));
    at::Tensor out = y.select(0, step).narrow(0, first, rows);
    out.copy_(answer.narrow(1, step * variables, variables));
    out.sub_(scale.add).div_(scale.multiply);
    out.index_add_(1, prognostic_output_, reference);
    preprocessing_.put_back_missing(out, masks);
  }
}

}  // namespace tradewind::nn
