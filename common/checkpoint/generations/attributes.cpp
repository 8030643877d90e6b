#include "common/checkpoint/generations/attributes.h"

#include <algorithm>
#include <array>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::size_t kMostNames = 20000;  // looking one up is linear
constexpr std::array<std::string_view, 3> kTables = {"_parameters", "_buffers", "_modules"};

const std::vector<std::pair<Ref, Ref>>* items_of(const Value& value) {
  if (const auto* dict = std::get_if<Dict>(&value.data)) return &dict->items;
  if (const auto* object = std::get_if<Object>(&value.data)) {
    if (!object->dict_items.empty() || object->state == nullptr) return &object->dict_items;
  }
  return nullptr;
}

const Value* state_of(const Value& value) {
  const auto* object = std::get_if<Object>(&value.data);
  return object == nullptr ? nullptr : object->state;
}

void append_names(const Value& table, std::vector<std::string>& out) {
  const auto* items = items_of(table);
  if (items == nullptr) return;
  for (const auto& item : *items) {
    if (const auto* name = std::get_if<std::string>(&item.first->data)) out.push_back(*name);
  }
}

}  // namespace

std::vector<std::pair<std::string, Node>> attributes_of(const Node& node) {
  std::vector<std::string> names;
  append_names(node.value(), names);
  if (const Value* state = state_of(node.value())) {
    append_names(*state, names);
    for (const std::string_view table : kTables) {
      const auto* items = items_of(*state);
      if (items == nullptr) break;
      for (const auto& [key, value] : *items) {
        const auto* name = std::get_if<std::string>(&key->data);
        if (name != nullptr && *name == table) append_names(*value, names);
      }
    }
  }
  if (names.size() > kMostNames) {
    throw UserError("an object with " + std::to_string(names.size()) + " attributes", node.path(),
                    "the checkpoint is damaged; export it again");
  }
  std::vector<std::pair<std::string, Node>> out;
  for (std::string& name : names) {
    if (std::find(kTables.begin(), kTables.end(), name) != kTables.end()) continue;
    if (auto value = node.find(name)) out.emplace_back(std::move(name), std::move(*value));
  }
  return out;
}

std::optional<Node> find_attribute(const Node& node, std::string_view name) {
  if (!std::holds_alternative<Dict>(node.value().data) && !std::holds_alternative<Object>(node.value().data)) {
    return std::nullopt;
  }
  return node.find(name);
}

std::vector<std::pair<std::string, Node>> modules_by_name(const Node& node) {
  std::vector<std::pair<std::string, Node>> out;
  for (const auto& [name, unused] : attributes_of(node.at("_modules"))) out.emplace_back(name, node.at(name));
  return out;
}

std::vector<Node> modules_in_order(const Node& node) {
  std::vector<Node> out;
  for (auto& [name, module] : modules_by_name(node)) {
    if (name != std::to_string(out.size())) {
      throw UserError("a list of modules in which number " + std::to_string(out.size()) + " is missing", node.path(),
                      "the checkpoint is damaged; export it again");
    }
    out.push_back(std::move(module));
  }
  return out;
}

bool is_off(const Node& node) {
  struct Visitor {
    bool operator()(const None&) const { return true; }
    bool operator()(bool value) const { return !value; }
    bool operator()(std::int64_t value) const { return value == 0; }
    bool operator()(double value) const { return value == 0; }
    bool operator()(const std::string& value) const { return value.empty(); }
    bool operator()(const Bytes& value) const { return value.data.empty(); }
    bool operator()(const List& value) const { return value.items.empty(); }
    bool operator()(const Tuple& value) const { return value.items.empty(); }
    bool operator()(const Set& value) const { return value.items.empty(); }
    bool operator()(const Dict& value) const { return value.items.empty(); }
    bool operator()(const Global&) const { return false; }
    bool operator()(const Object& value) const {
      if (value.name == "torch.nn.modules.linear.Identity") return true;
      return value.name.starts_with("collections.") && value.dict_items.empty() && value.list_items.empty();
    }
    bool operator()(const TensorDescriptor& value) const { return value.elements() == 0; }
    bool operator()(const Sparse& value) const { return value.matrix->rows == 0 || value.matrix->columns == 0; }
  };
  return std::visit(Visitor{}, node.value().data);
}

}  // namespace tradewind::checkpoint
