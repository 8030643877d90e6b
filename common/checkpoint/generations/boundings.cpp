#include "common/checkpoint/generations/boundings.h"

#include <string>
#include <vector>

#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr double kLeakySlope = 0.01;  // of torch's leaky_relu and the reference's leaky_hardtanh; not configurable

bool says(const Node& node, std::string_view word) { return node.class_name().find(word) != std::string::npos; }

// A tensor of indices; a list before 0.9 where the configured order is kept.
std::vector<std::int64_t> bounded_columns(const Node& node, std::int64_t limit) {
  if (!std::holds_alternative<List>(node.value().data)) return columns_of(node, limit);
  return listed_columns(node, limit);
}

void set_limits(const Node& node, HardtanhBoundingDescription& out) {
  out.minimum = node.at("min_val").as_double();
  out.maximum = node.at("max_val").as_double();
  if (!(out.minimum <= out.maximum)) throw UserError("min_val is above max_val", node.path());
}

}  // namespace

BoundingDescription read_relu_bounding(const Node& node, const ModelSizes& sizes) {
  ReluBoundingDescription out;
  out.columns = bounded_columns(node.at("data_index"), sizes.output_variables);
  if (says(node, "Leaky")) out.slope = kLeakySlope;
  if (says(node, "Normalized")) {
    const auto count = static_cast<std::int64_t>(out.columns.size());
    for (const double value : to_double(floating_tensor(node.at("norm_min_val"), {count}))) {
      out.thresholds.push_back(static_cast<float>(value));
    }
  }
  return out;
}

BoundingDescription read_hardtanh_bounding(const Node& node, const ModelSizes& sizes) {
  HardtanhBoundingDescription out;
  out.columns = bounded_columns(node.at("data_index"), sizes.output_variables);
  set_limits(node, out);
  if (says(node, "Leaky")) out.slope = kLeakySlope;
  if (says(node, "Fraction")) {
    const Node total = node.at("total_variable");
    const auto columns = bounded_columns(total, sizes.output_variables);
    if (columns.size() != 1) {
      throw UserError("a fraction of " + std::to_string(columns.size()) + " variables instead of one", total.path());
    }
    out.total = columns.front();
  }
  return out;
}

BoundingDescription read_limit(const Node& function, std::int64_t column) {
  const std::string name = function.class_name();
  if (name == "torch.nn.functional.relu") return ReluBoundingDescription{{column}, {}, 0};
  if (name == "torch.nn.modules.activation.Hardtanh") {
    refuse_unknown_attributes(function);
    HardtanhBoundingDescription out;
    out.columns = {column};
    set_limits(function, out);
    return out;
  }
  if (name == "anemoi.models.layers.activations.CustomRelu") {
    refuse_unknown_attributes(function);
    return ReluBoundingDescription{{column}, {static_cast<float>(function.at("threshold").as_double())}, 0};
  }
  refuse_class(function, "post-processor function",
               "torch.nn.functional.relu, torch.nn.modules.activation.Hardtanh, "
               "anemoi.models.layers.activations.CustomRelu");
}

}  // namespace tradewind::checkpoint
