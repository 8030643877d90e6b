#include "worker/preprocess/preprocessing.h"

#include <ATen/ATen.h>

#include <limits>
#include <string>
#include <utility>

#include "common/errors.h"
#include "worker/preprocess/bounding.h"
#include "worker/preprocess/imputer.h"
#include "worker/preprocess/mapping.h"

namespace tradewind::preprocess {
namespace {

constexpr const char* kDamaged = "the checkpoint is damaged or of an unknown layout";

void check_column(std::int64_t column, std::int64_t count) {
  if (column >= 0 && column < count) return;
  throw UserError("a pre-processor names column " + std::to_string(column) + " of " + std::to_string(count),
                  "pre_processors", kDamaged);
}

at::Tensor constants(const std::vector<float>& values, std::int64_t expected, const char* side) {
  if (static_cast<std::int64_t>(values.size()) != expected) {
    throw UserError("the normaliser has " + std::to_string(values.size()) + " values for " + std::to_string(expected) +
                        " variables of the model's " + side,
                    "pre_processors.normalizer", kDamaged);
  }
  return at::tensor(values, at::kFloat);
}

class Normalizer : public Step {
 public:
  Normalizer(const checkpoint::NormalizerDescription& given, std::int64_t inputs, std::int64_t outputs)
      : input_{constants(given.input_multiply, inputs, "input"), constants(given.input_add, inputs, "input")},
        output_multiply_(constants(given.output_multiply, outputs, "output")),
        output_add_(constants(given.output_add, outputs, "output")) {}
  void move_to(at::Device device) override {
    for (at::Tensor* each : {&input_.multiply, &input_.add, &output_multiply_, &output_add_}) *each = each->to(device);
  }
  void forward(at::Tensor& rows, const at::Tensor&) const override { rows.mul_(input_.multiply).add_(input_.add); }
  const Affine* forward_affine() const override { return &input_; }
  void inverse(at::Tensor& rows, const at::Tensor&) const override { rows.sub_(output_add_).div_(output_multiply_); }

 private:
  Affine input_;
  at::Tensor output_multiply_, output_add_;
};

class Remapper : public Step {
 public:
  Remapper(checkpoint::RemapperDescription given, std::int64_t inputs, std::int64_t outputs)
      : given_(std::move(given)) {
    for (const auto& column : given_.columns) {
      if (column.input) check_column(*column.input, inputs);
      if (column.output) check_column(*column.output, outputs);
    }
  }
  void forward(at::Tensor& rows, const at::Tensor&) const override {
    for (const auto& column : given_.columns) {
      if (column.input) map_forward(column, rows.select(1, *column.input));
    }
  }
  void inverse(at::Tensor& rows, const at::Tensor&) const override {
    for (const auto& column : given_.columns) {
      if (column.output) map_back(column, rows.select(1, *column.output));
    }
  }

 private:
  checkpoint::RemapperDescription given_;
};

class OutputLimits : public Step {
 public:
  OutputLimits(const checkpoint::OutputLimitsDescription& given, std::int64_t outputs) {
    for (const auto& limit : given.limits) limits_.emplace_back(limit, outputs);
  }
  void move_to(at::Device device) override {
    for (Bounding& limit : limits_) limit.move_to(device);
  }
  void inverse(at::Tensor& rows, const at::Tensor&) const override {
    for (const Bounding& limit : limits_) limit(rows);
  }

 private:
  std::vector<Bounding> limits_;
};

class ConditionalFill : public Step {
 public:
  ConditionalFill(checkpoint::ConditionalFillDescription given, std::int64_t outputs) : given_(std::move(given)) {
    check_column(given_.condition, outputs);
    for (const std::int64_t column : given_.columns) check_column(column, outputs);
    if (given_.columns.size() != given_.values.size()) throw InternalFault("columns and values differ in number");
  }
  void inverse(at::Tensor& rows, const at::Tensor&) const override {
    const at::Tensor condition = rows.select(1, given_.condition);
    const at::Tensor where = given_.where_missing ? condition.isnan() : condition.eq(0);
    for (std::size_t i = 0; i < given_.columns.size(); ++i) {
      const double value = given_.values[i].value_or(std::numeric_limits<double>::quiet_NaN());
      rows.select(1, given_.columns[i]).masked_fill_(where, value);
    }
  }

 private:
  checkpoint::ConditionalFillDescription given_;
};

struct StepMaker {
  std::int64_t inputs, outputs;
  using Made = std::unique_ptr<Step>;
  Made operator()(const checkpoint::NormalizerDescription& given) const {
    return std::make_unique<Normalizer>(given, inputs, outputs);
  }
  Made operator()(const checkpoint::ImputerDescription& given) const {
    return std::make_unique<Imputer>(given, inputs, outputs);
  }
  Made operator()(const checkpoint::RemapperDescription& given) const {
    return std::make_unique<Remapper>(given, inputs, outputs);
  }
  Made operator()(const checkpoint::OutputLimitsDescription& given) const {
    return std::make_unique<OutputLimits>(given, outputs);
  }
  Made operator()(const checkpoint::ConditionalFillDescription& given) const {
    return std::make_unique<ConditionalFill>(given, outputs);
  }
};

}  // namespace

void Step::move_to(at::Device) {}
void Step::forward(at::Tensor&, const at::Tensor&) const {}
void Step::inverse(at::Tensor&, const at::Tensor&) const {}
at::Tensor Step::mask(const at::Tensor& first) const {
  return at::empty({first.size(0), 0}, first.options().dtype(at::kBool));
}

Preprocessing::Preprocessing(const checkpoint::DatasetDescription& dataset) {
  if (dataset.preprocessors.size() != dataset.postprocessors.size()) {
    throw UserError("the post-processors are not the pre-processors in reverse order", "post_processors", kDamaged);
  }
  const StepMaker make{dataset.input_variables, dataset.output_variables};
  for (const auto& step : dataset.preprocessors) {
    steps_.push_back(std::visit(make, step));
    masks_ += steps_.back()->mask_count();
  }
}

void Preprocessing::move_to(at::Device device) {
  for (const auto& step : steps_) step->move_to(device);
}

at::Tensor Preprocessing::masks(const at::Tensor& first) const {
  if (!has_masks()) return {};
  at::Tensor out = at::zeros({first.size(0), masks_}, first.options().dtype(at::kBool));
  at::Tensor rows = first.clone();
  std::int64_t begin = 0;
  for (const auto& step : steps_) {
    const std::int64_t count = step->mask_count();
    at::Tensor own;
    if (count > 0) own = out.narrow(1, begin, count).copy_(step->mask(rows));
    begin += count;
    if (begin == masks_) break;
    step->forward(rows, own);
  }
  return out;
}

void Preprocessing::forward(at::Tensor& rows, const at::Tensor& masks) const {
  std::int64_t begin = 0;
  for (const auto& step : steps_) {
    const std::int64_t count = step->mask_count();
    step->forward(rows, count > 0 ? masks.narrow(1, begin, count) : at::Tensor());
    begin += count;
  }
}

void Preprocessing::inverse(at::Tensor& rows, const at::Tensor& masks) const {
  std::int64_t end = masks_;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    const std::int64_t count = (*step)->mask_count();
    end -= count;
    (*step)->inverse(rows, count > 0 ? masks.narrow(1, end, count) : at::Tensor());
  }
}

void Preprocessing::put_back_missing(at::Tensor& rows, const at::Tensor& masks) const {
  std::int64_t begin = 0;
  for (const auto& step : steps_) {
    const std::int64_t count = step->mask_count();
    if (count > 0) step->inverse(rows, masks.narrow(1, begin, count));
    begin += count;
  }
}

}  // namespace tradewind::preprocess
