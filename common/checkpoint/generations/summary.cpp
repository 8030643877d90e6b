#include "common/checkpoint/generations/summary.h"

#include <set>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/generation.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr int kDeepest = 100;
constexpr std::size_t kMostParts = 100;

std::int64_t count(const Node& module, std::set<Ref>& seen, int depth) {
  if (!seen.insert(&module.value()).second) return 0;
  if (depth > kDeepest) {
    throw UserError("modules nested deeper than " + std::to_string(kDeepest), module.path(),
                    "the checkpoint is damaged; export it again");
  }
  std::int64_t values = 0;
  if (const auto parameters = find_attribute(module, "_parameters")) {
    for (const auto& [name, parameter] : attributes_of(*parameters)) {
      const auto* tensor = std::get_if<TensorDescriptor>(&parameter.value().data);
      if (tensor != nullptr && seen.insert(&parameter.value()).second) values += tensor->elements();
    }
  }
  if (const auto modules = find_attribute(module, "_modules")) {
    for (const auto& [name, child] : attributes_of(*modules)) values += count(child, seen, depth + 1);
  }
  return values;
}

// Goes through containers, which say nothing themselves.
void add_parts(const Node& node, int depth, std::vector<TreePart>& out) {
  if (out.size() >= kMostParts) return;
  const std::string name = node.class_name();
  const bool container = name.starts_with("torch.nn.modules.container.") || name.ends_with(".Processors");
  const auto modules = container ? find_attribute(node, "_modules") : std::nullopt;
  if (!modules || depth > 4) {
    if (!name.empty()) out.push_back({node.path(), name});
    return;
  }
  for (const auto& [key, child] : attributes_of(*modules)) {
    if (const auto named = find_attribute(node, key)) add_parts(*named, depth + 1, out);
  }
}

}  // namespace

std::int64_t count_parameters(const Node& module) {
  std::set<Ref> seen;
  return count(module, seen, 0);
}

TreeSummary summarize(const Tree& tree) {
  TreeSummary out;
  const Node root = tree.root();
  if (const auto processors = find_attribute(root, "pre_processors")) add_parts(*processors, 0, out.parts);
  const auto model = find_attribute(root, "model");
  if (!model) return out;
  out.model_class = model->class_name();
  out.parameters = count_parameters(*model);
  try {
    out.generation = detect_generation(*model).name;
  } catch (const UserError&) {
    out.generation.clear();
  }
  for (const char* part : {"encoder", "noise_injector", "processor", "upscale", "downscale", "down_level_processor",
                           "up_level_processor", "decoder", "residual", "boundings"}) {
    if (const auto node = find_attribute(*model, part)) add_parts(*node, 0, out.parts);
  }
  return out;
}

}  // namespace tradewind::checkpoint
