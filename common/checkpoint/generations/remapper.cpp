#include "common/checkpoint/generations/remapper.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/layers.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

struct Option {
  std::string_view name;
  double fallback;
};
struct Function {
  std::string_view forward, backward;  // of anemoi.models.preprocessing.mappings
  Mapping mapping;
  Option parameter;  // no name: it has none, and this value
};
const std::array<Function, 9> kFunctions = {{
    {"affine_transform", "inverse_affine_transform", Mapping::affine, {"scale", 1}},
    {"displace_boundary_atoms", "inverse_displace_boundary_atoms", Mapping::atoms, {"", 1}},
    {"boxcox_converter", "inverse_boxcox_converter", Mapping::box_cox, {"lambd", 0.5}},
    {"power_transform", "inverse_power_transform", Mapping::power, {"lambd", 0.33}},
    {"sqrt_converter", "inverse_sqrt_converter", Mapping::power, {"", 0.5}},
    {"sqrt_converter", "square_converter", Mapping::square_root, {"", 0.5}},
    {"atanh_converter", "inverse_atanh_converter", Mapping::atanh, {"rho", 2}},
    {"asinh_converter", "inverse_asinh_converter", Mapping::asinh, {"c", 1}},
    {"log1p_converter", "expm1_converter", Mapping::log1p, {"", 1}},
}};
constexpr std::string_view kModule = "anemoi.models.preprocessing.mappings.";

std::string short_name(const Node& function) {
  const std::string name = function.class_name();
  return name.starts_with(kModule) ? name.substr(kModule.size()) : name;
}

const Function& function_of(const Node& forward, const Node& backward) {
  const std::string there = short_name(forward), back = short_name(backward);
  std::string known;
  for (const Function& function : kFunctions) {
    if (function.forward == there && function.backward == back) return function;
    add_to_list(known, std::string(function.forward) + " with " + std::string(function.backward));
  }
  throw UserError("remapping by " + there + " and back by " + back + " is not supported", forward.path(),
                  "known: noop, " + known);
}

// Options of the function, each of which must be one that it has.
class Options {
 public:
  explicit Options(const std::optional<Node>& node) : node_(node) {}
  double number(std::string_view name, double fallback) {
    const auto value = take(name);
    return value && !value->is_none() ? value->as_double() : fallback;
  }
  std::optional<double> maybe(std::string_view name) {
    const auto value = take(name);
    return value && !value->is_none() ? std::optional(value->as_double()) : std::nullopt;
  }
  bool flag(std::string_view name) {
    const auto value = take(name);
    return value && !value->is_none() && value->as_bool();
  }
  void refuse_others() const {
    if (!node_) return;
    for (const auto& [name, value] : node_->entries()) {
      if (std::find(taken_.begin(), taken_.end(), name) == taken_.end()) {
        throw UserError("option `" + name + "` of a remapping is not known to this build", value.path(),
                        "known here: " + listed(taken_));
      }
    }
  }

 private:
  std::optional<Node> take(std::string_view name) {
    taken_.emplace_back(name);
    return node_ ? find_attribute(*node_, name) : std::nullopt;
  }
  std::optional<Node> node_;
  std::vector<std::string> taken_;
};

void require(bool condition, const char* what, const Node& node) {
  if (!condition) throw UserError(what, node.path(), "the reference refuses this checkpoint too");
}

void read_options(const Function& function, const Node& node, Options options, RemappedColumn& out) {
  out.mapping = function.mapping;
  out.parameter = function.parameter.fallback;
  if (!function.parameter.name.empty()) out.parameter = options.number(function.parameter.name, out.parameter);
  switch (out.mapping) {
    case Mapping::affine:
      out.shift = options.number("shift", 0);
      require(out.parameter != 0, "an affine remapping with scale 0", node);
      break;
    case Mapping::atoms:
      out.lower_atom = options.maybe("lower_atom");
      out.upper_atom = options.maybe("upper_atom");
      out.lower_target = options.maybe("lower_target");
      out.upper_target = options.maybe("upper_target");
      out.epsilon = options.number("eps", 0);
      require(out.lower_atom || out.upper_atom, "boundary atoms without an atom", node);
      require(!out.lower_atom || (out.lower_target && *out.lower_target < *out.lower_atom),
              "lower_target must be below lower_atom", node);
      require(!out.upper_atom || (out.upper_target && *out.upper_target > *out.upper_atom),
              "upper_target must be above upper_atom", node);
      break;
    case Mapping::power:
      if (function.parameter.name.empty()) break;  // sqrt, which has no options
      out.clip_negative = options.flag("clip_negative");
      out.tangent_above_one = options.flag("tangent_linear_above_one");
      require(out.parameter > 0, "a power remapping needs lambd > 0", node);
      break;
    case Mapping::box_cox:
      out.clip_negative = options.flag("clip_negative");
      break;
    case Mapping::atanh:
      require(out.parameter >= 0, "an atanh remapping needs rho >= 0", node);
      break;
    case Mapping::square_root:
    case Mapping::asinh:
    case Mapping::log1p:
      break;
  }
  options.refuse_others();
}

}  // namespace

// Functions got options together with the checks of what they are applied to.
PreprocessorDescription read_remapper(const Node& node, const Scope&, const ModelSizes& sizes) {
  const auto options = node.find("remapper_kwargs");
  if (options.has_value() != node.has("method_kwargs")) {
    throw UserError("only one of `remapper_kwargs` and `method_kwargs` is there", node.path(),
                    "the checkpoint is damaged; export it again");
  }
  const auto inputs = optional_columns(node.at("index_inference_input"), sizes.input_variables);
  const auto outputs = optional_columns(node.at("index_inference_output"), sizes.output_variables);
  const auto forward = node.at("remappers").items(), backward = node.at("backmappers").items();
  const auto arguments = options ? options->items() : std::vector<Node>{};
  const std::size_t count = inputs.size();
  if (outputs.size() != count || forward.size() != count || backward.size() != count ||
      (options && arguments.size() != count)) {
    throw UserError("a remapper whose lists have different lengths", node.path(),
                    "the checkpoint is damaged; export it again");
  }
  RemapperDescription out;
  for (std::size_t i = 0; i < count; ++i) {
    if (short_name(forward[i]) == "noop" && short_name(backward[i]) == "noop") continue;
    const Function& function = function_of(forward[i], backward[i]);
    RemappedColumn column;
    column.input = inputs[i];
    column.output = outputs[i];
    column.unchecked = !options;
    read_options(function, forward[i], Options(options ? std::optional(arguments[i]) : std::nullopt), column);
    if (column.input || column.output) out.columns.push_back(column);
  }
  return out;
}

}  // namespace tradewind::checkpoint
