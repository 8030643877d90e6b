#include "common/checkpoint/generations/layers.h"

#include <array>
#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/class_table.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

std::string text(const std::vector<std::int64_t>& shape) {
  std::string out = "(";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + (size < 0 ? "any" : std::to_string(size));
  return out + ")";
}

void require_shape(const TensorDescriptor& tensor, const Node& node, const std::vector<std::int64_t>& shape) {
  bool same = tensor.shape.size() == shape.size();
  for (std::size_t i = 0; same && i < shape.size(); ++i) same = shape[i] < 0 || shape[i] == tensor.shape[i];
  if (!same) {
    throw UserError("tensor of shape " + text(tensor.shape) + " where " + text(shape) + " is needed", node.path(),
                    "the checkpoint's tensors do not fit each other");
  }
}

struct ActivationRow {
  std::string_view class_name;
  Activation activation;
};
constexpr std::array<ActivationRow, 7> kActivations = {{
    {"torch.nn.modules.activation.GELU", Activation::gelu},
    {"torch.nn.modules.activation.SiLU", Activation::silu},
    {"torch.nn.modules.activation.ReLU", Activation::relu},
    {"torch.nn.modules.activation.Sigmoid", Activation::sigmoid},
    {"torch.nn.modules.activation.Tanh", Activation::tanh},
    {"torch.nn.modules.activation.LeakyReLU", Activation::leaky_relu},
    {"torch.nn.modules.linear.Identity", Activation::identity},
}};

std::optional<Activation> find_activation(const Node& node) {
  const ActivationRow* row = find_row(kActivations, node);
  if (row == nullptr) return std::nullopt;
  if (row->activation == Activation::identity) return row->activation;
  refuse_unknown_attributes(node);
  if (row->activation == Activation::gelu) {
    const Node approximate = node.at("approximate");
    if (approximate.as_string() == "tanh") return Activation::gelu_tanh;
    if (approximate.as_string() != "none") {
      throw UserError("GELU with approximate = " + approximate.as_string() + " is not supported", approximate.path(),
                      "known: none, tanh");
    }
  }
  if (row->activation == Activation::leaky_relu && node.at("negative_slope").as_double() != 0.01) {
    throw UserError("LeakyReLU with another negative_slope than 0.01 is not supported",
                    node.at("negative_slope").path());
  }
  return row->activation;
}

std::string known_layers() {
  return "torch.nn.modules.linear.Linear, torch.nn.modules.normalization.LayerNorm, "
         "anemoi.models.layers.normalization.AutocastLayerNorm, "
         "anemoi.models.layers.utils.AutocastLayerNorm, anemoi.models.layers.mlp.GatedMLPLayer, "
         "torch.nn.modules.dropout.Dropout, " +
         class_names(kActivations);
}

bool is_layer_norm(const std::string& name) {
  return name == "torch.nn.modules.normalization.LayerNorm" || name.ends_with(".AutocastLayerNorm");
}

// Appends a layer and returns its width; `width` is that of its input.
std::int64_t append(const Node& node, std::int64_t width, std::vector<SequentialLayer>& layers) {
  const std::string name = node.class_name();
  if (name == "torch.nn.modules.linear.Linear") {
    const std::int64_t outputs = linear_outputs(node);
    layers.emplace_back(read_linear(node, outputs, width));
    return outputs;
  }
  if (is_layer_norm(name)) {
    layers.emplace_back(read_layer_norm(node, width));
    return width;
  }
  if (name == "anemoi.models.layers.mlp.GatedMLPLayer") {
    refuse_unknown_attributes(node);
    const Node gate = node.at("gate_proj"), value = node.at("value_proj"), gating = node.at("gating");
    const std::int64_t outputs = linear_outputs(gate);
    const auto activation = find_activation(gating);
    if (!activation) refuse_class(gating, "activation", known_layers());
    layers.emplace_back(
        GatedDescription{read_linear(gate, outputs, width), read_linear(value, outputs, width), *activation});
    return outputs;
  }
  if (name == "torch.nn.modules.dropout.Dropout") return width;  // off outside training
  const auto activation = find_activation(node);
  if (!activation) refuse_class(node, "layer", known_layers());
  if (*activation != Activation::identity) layers.emplace_back(*activation);
  return width;
}

// Sequences of sequences, in the order of their layers. Bounded, since a damaged tree may hold itself many times over.
class SequenceReader {
 public:
  // Returns the width of what comes out.
  std::int64_t read(const Node& node, std::int64_t width) {
    if (++modules_ > kMostModules || depth_ > kDeepest) {
      throw UserError("a sequence of too many layers", node.path(), "the checkpoint is damaged; export it again");
    }
    ++depth_;
    const std::string name = node.class_name();
    if (name == "torch.nn.modules.container.Sequential") {
      for (const Node& layer : modules_in_order(node)) width = read(layer, width);
    } else if (name == "anemoi.models.layers.mlp.MLP") {
      refuse_unknown_attributes(node);
      if (const auto whole = node.find("model")) {  // before 0.5: the norm is the last of the layers
        width = read(*whole, width);
      } else {
        width = read(node.at("mlp"), width);
        if (const Node norm = node.at("layer_norm"); !norm.is_none()) width = append(norm, width, layers_);
      }
    } else {
      width = append(node, width, layers_);
    }
    --depth_;
    return width;
  }
  std::vector<SequentialLayer> take() { return std::move(layers_); }

 private:
  static constexpr int kMostModules = 1000, kDeepest = 10;
  std::vector<SequentialLayer> layers_;
  int modules_ = 0, depth_ = 0;
};

std::vector<std::int64_t> distinct_columns(const Node& node, std::vector<std::int64_t> columns, std::int64_t limit) {
  std::vector<bool> seen(static_cast<std::size_t>(limit));
  for (const std::int64_t column : columns) {
    if (column < 0 || column >= limit) {
      throw UserError("column " + std::to_string(column) + " outside [0, " + std::to_string(limit) + ")", node.path());
    }
    if (seen[static_cast<std::size_t>(column)]) {
      throw UserError("column " + std::to_string(column) + " occurs twice", node.path());
    }
    seen[static_cast<std::size_t>(column)] = true;
  }
  return columns;
}

}  // namespace

bool is_integer(ScalarType type) {
  return type == ScalarType::i64 || type == ScalarType::i32 || type == ScalarType::i16 || type == ScalarType::i8 ||
         type == ScalarType::u8;
}

bool is_floating(ScalarType type) { return !is_integer(type) && type != ScalarType::boolean; }

const TensorDescriptor& floating_tensor(const Node& node, std::initializer_list<std::int64_t> shape) {
  const TensorDescriptor& tensor = node.as_tensor();
  if (!is_floating(tensor.dtype)) {
    throw UserError(std::string("tensor of type ") + name_of(tensor.dtype) + " where a floating type is needed",
                    node.path());
  }
  require_shape(tensor, node, shape);
  return tensor;
}

const TensorDescriptor& integer_tensor(const Node& node, std::initializer_list<std::int64_t> shape) {
  const TensorDescriptor& tensor = node.as_tensor();
  if (!is_integer(tensor.dtype)) {
    throw UserError(std::string("tensor of type ") + name_of(tensor.dtype) + " where an integer type is needed",
                    node.path());
  }
  require_shape(tensor, node, shape);
  return tensor;
}

TensorDescriptor rows_of(const TensorDescriptor& tensor, std::int64_t begin, std::int64_t count) {
  TensorDescriptor out = tensor;
  out.shape.at(0) = count;
  if (out.data != nullptr) {
    out.data += begin * tensor.strides.at(0) * static_cast<std::int64_t>(size_of(tensor.dtype));
  }
  return out;
}

std::vector<std::int64_t> columns_of(const Node& node, std::int64_t limit) {
  return distinct_columns(node, to_int64(integer_tensor(node, {kAnySize})), limit);
}

std::vector<std::int64_t> listed_columns(const Node& node, std::int64_t limit) {
  std::vector<std::int64_t> columns;
  for (const Node& item : node.items()) columns.push_back(item.as_int());
  return distinct_columns(node, std::move(columns), limit);
}

std::optional<std::int64_t> optional_column(const Node& node, std::int64_t limit) {
  if (node.is_none()) return std::nullopt;
  const std::int64_t column = node.as_int();
  if (column < 0 || (limit != kAnySize && column >= limit)) {
    throw UserError("column " + std::to_string(column) + " outside [0, " + std::to_string(limit) + ")", node.path());
  }
  return column;
}

std::vector<std::optional<std::int64_t>> optional_columns(const Node& node, std::int64_t limit) {
  std::vector<std::optional<std::int64_t>> columns;
  for (const Node& item : node.items()) columns.push_back(optional_column(item, limit));
  return columns;
}

std::int64_t positive(const Node& node) {
  constexpr std::int64_t kLargest = 1 << 24;  // products of two stay far from overflow
  const std::int64_t value = node.as_int();
  if (value < 1 || value > kLargest) {
    throw UserError(std::to_string(value) + " where a number from 1 to " + std::to_string(kLargest) + " is needed",
                    node.path());
  }
  return value;
}

std::int64_t linear_outputs(const Node& node) {
  require_class(node, "linear layer", {"torch.nn.modules.linear.Linear"});
  const std::int64_t outputs = floating_tensor(node.at("weight"), {kAnySize, kAnySize}).shape[0];
  if (outputs < 1) throw UserError("a linear layer without outputs", node.path());
  return outputs;
}

std::int64_t sequential_outputs(const Node& node) {
  const auto whole = node.find("model");
  const auto layers = modules_in_order(whole ? *whole : node.at("mlp"));
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (layer->class_name() == "torch.nn.modules.linear.Linear") return linear_outputs(*layer);
  }
  throw UserError("an MLP without a linear layer", node.path(), "the checkpoint is damaged or of an unknown layout");
}

LinearDescription read_linear(const Node& node, std::int64_t outputs, std::int64_t inputs) {
  require_class(node, "linear layer", {"torch.nn.modules.linear.Linear"});
  refuse_unknown_attributes(node);
  LinearDescription out{floating_tensor(node.at("weight"), {outputs, inputs}), std::nullopt};
  if (const Node bias = node.at("bias"); !bias.is_none()) out.bias = floating_tensor(bias, {outputs});
  return out;
}

LayerNormDescription read_layer_norm(const Node& node, std::int64_t size) {
  require_class(node, "layer norm",
                {"torch.nn.modules.normalization.LayerNorm", "anemoi.models.layers.normalization.AutocastLayerNorm",
                 "anemoi.models.layers.utils.AutocastLayerNorm"});
  refuse_unknown_attributes(node);
  LayerNormDescription out;
  out.size = size;
  out.epsilon = node.at("eps").as_double();
  const Node shape = node.at("normalized_shape");
  if (const auto sizes = shape.items(); sizes.size() != 1 || sizes.front().as_int() != size) {
    throw UserError("layer norm over another shape than (" + std::to_string(size) + ")", shape.path());
  }
  if (!(out.epsilon >= 0)) throw UserError("layer norm with a negative eps", node.path());
  const Node weight = node.at("weight"), bias = node.at("bias");
  if (node.at("elementwise_affine").as_bool() == weight.is_none()) {
    throw UserError("elementwise_affine and the weight contradict each other", node.path());
  }
  if (!weight.is_none()) out.weight = floating_tensor(weight, {size});
  if (!bias.is_none()) out.bias = floating_tensor(bias, {size});
  return out;
}

NormDescription read_norm(const Node& node, std::int64_t size, std::int64_t condition) {
  const bool conditional = node.class_name() == "anemoi.models.layers.normalization.ConditionalLayerNorm";
  if (conditional && condition == 0) {
    throw UserError("a conditional layer norm where nothing conditions it", node.path(),
                    "anemoi-models does not run such a model either");
  }
  if (!conditional && condition > 0) {
    throw UserError(
        "noise conditions the layers, but a layer norm of class " + node.class_name() + " takes no condition",
        node.path(), "anemoi-models does not run such a model either");
  }
  if (!conditional) return read_layer_norm(node, size);
  refuse_unknown_attributes(node);
  NormDescription out = read_layer_norm(node.at("norm"), size);
  (void)node.at("autocast").as_bool();  // there, and a bool; it changes dtypes under torch.autocast only
  out.condition = ConditionDescription{read_linear(node.at("scale"), size, condition),
                                       read_linear(node.at("bias"), size, condition)};
  return out;
}

SequentialDescription read_sequential(const Node& node, std::int64_t outputs, std::int64_t inputs) {
  SequenceReader reader;
  const std::int64_t width = reader.read(node, inputs);
  if (width != outputs) {
    throw UserError(
        "a width of " + std::to_string(width) + " comes out where " + std::to_string(outputs) + " is needed",
        node.path(), "the checkpoint's tensors do not fit each other");
  }
  return {reader.take()};
}

}  // namespace tradewind::checkpoint
