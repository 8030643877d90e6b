#include "common/checkpoint/generations/imputers.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::string_view kMask = "nan_locations";

// Up to 0.9.0 imputers look at the first input time alone, and their masks are found by the variable's number in the
// dataset, in a tensor ordered as the model's input. From 0.9.1 on they look at every time, and kept their mask as a
// buffer at first; it is an attribute again in models laid out so that they are later than that.
bool is_old(const Node& node, const Scope& scope) {
  const auto buffers = node.find("_buffers");
  if (buffers && find_attribute(*buffers, kMask)) return false;
  node.at(kMask);
  return scope.generation.imputes_by_first_step;
}

// CopyImputer looks its source up in the dataset's variables, the dynamic one in the model's input.
std::int64_t copied_column(const Node& imputer, const Node& name, bool dynamic, const ModelSizes& sizes) {
  const Node columns = imputer.walk(dynamic ? "data_indices.model.input.name_to_index"  //
                                            : "data_indices.data.input.name_to_index");
  const Node column = columns.at(name.as_string());
  const std::int64_t value = column.as_int();
  if (value < 0 || value >= sizes.input_variables) {
    throw UserError("column " + std::to_string(value) + " is copied, of " + std::to_string(sizes.input_variables) +
                        " in the model's input",
                    column.path(), "the reference fails on this checkpoint too");
  }
  return value;
}

}  // namespace

PreprocessorDescription read_imputer(const Node& node, const Scope& scope, const ModelSizes& sizes) {
  const std::string name = node.class_name();
  const bool old = is_old(node, scope), copies = name.ends_with("CopyImputer");
  const bool dynamic = name.find(".Dynamic") != std::string::npos;
  if (old && copies && !dynamic) {
    throw UserError("CopyImputer of anemoi-models before 0.9.1 is not supported", node.path(),
                    "it keeps the mask of its first call, which may be one of the training");
  }
  const auto inputs = optional_columns(node.at("index_inference_input"), sizes.input_variables);
  const auto outputs = optional_columns(node.at("index_inference_output"), sizes.output_variables);
  const auto dataset = optional_columns(node.at("index_training_input"), kAnySize);
  const auto values = node.at("replacement").items();
  if (outputs.size() != inputs.size() || dataset.size() != inputs.size() || values.size() < inputs.size()) {
    throw UserError("an imputer whose lists have different lengths", node.path(),
                    "the checkpoint is damaged; export it again");
  }
  ImputerDescription out;
  out.masks_of_first_step = old && !dynamic;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ImputedColumn column;
    column.input = inputs[i];
    if (!dynamic) {
      column.mask = old ? dataset[i] : inputs[i];
      if (column.mask) column.output = outputs[i];
      if (column.mask && *column.mask >= sizes.input_variables) {
        throw UserError("the mask of variable " + std::to_string(*column.mask) + " is looked up among " +
                            std::to_string(sizes.input_variables) + " input variables",
                        node.path(), "the reference fails on this checkpoint too");
      }
    }
    if (!column.input && !column.output) continue;
    if (copies) {
      column.copied_from = copied_column(node, values[i], dynamic, sizes);
    } else {
      column.value = values[i].as_double();
    }
    out.columns.push_back(column);
  }
  return out;
}

}  // namespace tradewind::checkpoint
