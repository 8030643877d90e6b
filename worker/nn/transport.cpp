#include "worker/nn/transport.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "common/errors.h"
#include "worker/nn/drawn_rows.h"

namespace tradewind::nn {
namespace {

at::Tensor one_value(double value, at::Device device) {
  return at::full({1, 1}, static_cast<float>(value), at::TensorOptions().dtype(at::kFloat).device(device));
}

// Given in place of the first field that would be drawn, (steps, rows, variables).
at::Tensor given_rows(const at::Tensor& noise, const TransportField& field) {
  if (noise.dim() == 3 && noise.size(0) == field.steps && noise.size(1) == field.rows &&
      noise.size(2) == field.variables) {
    return own_rows(noise.to(at::kFloat), field.own);
  }
  throw UserError("noise of another shape", "noise",
                  "the model takes " + std::to_string(field.steps) + " times " + std::to_string(field.variables) +
                      " variables on " + std::to_string(field.rows) + " rows");
}

}  // namespace

Transport::Transport(const checkpoint::TransportDescription& description, std::vector<TransportField> fields,
                     const sampling::Choice& wanted, Precision precision)
    : objective_(description.objective),
      sigma_data_(description.sigma_data),
      source_(description.source),
      scale_(description.scale),
      noise_scale_(description.noise_scale),
      fields_(std::move(fields)),
      sampling_(sampling::resolve(description.objective, description.defaults, wanted)),
      levels_(sampling::levels(sampling_.schedule)),
      embedding_(description.embedding, precision) {}

void Transport::move_to(at::Device device) { embedding_.move_to(device); }

at::Tensor Transport::drawn(std::size_t dataset, at::ScalarType type, const StepContext& context) const {
  const TransportField& field = fields_.at(dataset);
  return drawn_rows(context.random, type, field.steps, field.rows, field.variables, field.own);
}

Fields Transport::source(const Fields& latest, const StepContext& context, at::Device device) const {
  const bool given = context.noise.defined();
  if (given && (source_ != checkpoint::SourceField::gaussian || fields_.size() != 1)) {
    throw UserError(fields_.size() == 1 ? "noise for a model that starts from none" : "noise for several datasets",
                    "noise", "leave it out");
  }
  Fields out;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const TransportField& field = fields_[i];
    switch (source_) {
      case checkpoint::SourceField::gaussian:
        out.push_back(given ? given_rows(context.noise, field) : drawn(i, at::kFloat, context));
        break;
      case checkpoint::SourceField::zero:
        out.push_back(at::zeros({field.own.size(), field.steps * field.variables}, at::kFloat));
        break;
      case checkpoint::SourceField::latest_state:
        out.push_back(latest.at(i).repeat({1, field.steps}));
        break;
    }
    out.back() = out.back().to(device);
    if (scale_ != 1) out.back() = out.back().mul(scale_);
  }
  if (noise_scale_ == 0) return out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = out[i].add(drawn(i, at::kFloat, context).mul_(noise_scale_).to(device));
  }
  return out;
}

// All in float32, as the reference has it.
Fields Transport::clean(const Fields& y, double sigma, const Ask& ask, Workspace& workspace) const {
  const at::Tensor level = one_value(sigma, workspace.device());
  const double data = sigma_data_ * sigma_data_;
  const at::Tensor squares = level.pow(2).add(data), root = squares.pow(0.5);
  const at::Tensor of_input = root.reciprocal(), of_y = squares.reciprocal().mul(data);
  const at::Tensor of_answer = level.mul(sigma_data_).div(root);
  Fields asked;
  for (const at::Tensor& field : y) asked.push_back(field.mul(of_input));
  Fields answers = ask(asked, condition(level.log().div(4), workspace));
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i].mul_(of_answer).add_(y[i].mul(of_y));
  return answers;
}

Fields Transport::operator()(const Fields& latest, const StepContext& context, const Ask& ask,
                             Workspace& workspace) const {
  Fields y = source(latest, context, workspace.device());
  if (objective_ == sampling::Objective::move) {
    return move_in_time(sampling_.sampler, levels_, std::move(y), [&](const Fields& at, double time) {
      return ask(at, condition(one_value(time, workspace.device()), workspace));
    });
  }
  for (at::Tensor& field : y) field = field.to(at::kDouble).mul_(levels_.front());
  return denoise(
      sampling_.sampler, levels_, std::move(y),
      [&](const Fields& at, double sigma) { return clean(at, sigma, ask, workspace); },
      [&](std::size_t dataset) { return drawn(dataset, at::kDouble, context).to(workspace.device()); });
}

}  // namespace tradewind::nn
