// The tables of attributes in a tree, to change one entry after another.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/checkpoint/value.h"

namespace tradewind::checkpoint {

using Items = std::vector<std::pair<Ref, Ref>>;

// A test owns its tree alone, so it may change what is const to everybody else.
inline Items& mutable_items(const Items& items) { return const_cast<Items&>(items); }  // NOLINT

inline const std::string* name_of(const std::pair<Ref, Ref>& item) {
  return std::get_if<std::string>(&item.first->data);
}

struct Table {
  const Items& items;
  std::string path;
  std::string owner;  // the class that has such attributes; what stands in a container is an attribute of its holder
};

// Visits every table that can be reached from the root, but for what a forecast has no use for: configuration, graphs
// and statistics as they were in training.
class Tables {
 public:
  using Visit = std::function<void(const Table&)>;
  explicit Tables(Visit visit) : visit_(std::move(visit)) {}

  void operator()(const Value& value, const std::string& path = {}, const std::string& owner = {}) {
    if (!seen_.insert(&value).second) return;
    if (const auto* object = std::get_if<Object>(&value.data)) {
      const std::string own = object->name.starts_with("torch.nn.modules.container.") ? owner : object->name;
      if (!object->dict_items.empty()) items(object->dict_items, path, own + "[]");
      const auto* state = object->state ? std::get_if<Dict>(&object->state->data) : nullptr;
      if (state != nullptr) items(state->items, path, own);
    } else if (const auto* dict = std::get_if<Dict>(&value.data)) {
      items(dict->items, path, owner);
    } else if (const auto* list = std::get_if<List>(&value.data)) {
      for (const Ref item : list->items) (*this)(*item, path + "[]", owner);
    }
  }

 private:
  static bool is_training(std::string_view name) {
    static constexpr std::array<std::string_view, 12> names = {
        "config",        "metadata",        "graph_data",         "_graph_data",
        "statistics",    "data_indices",    "supporting_arrays",  "statistics_tendencies",
        "layer_kernels", "truncation_data", "training_condition", "noise_conditioning"};
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  void items(const Items& all, const std::string& path, const std::string& owner) {
    visit_({all, path, owner});
    for (const auto& item : all) {
      const std::string* name = name_of(item);
      if (name == nullptr || is_training(*name)) continue;
      const auto* table = std::get_if<Dict>(&item.second->data);
      if (*name != "_modules" || table == nullptr) {
        (*this)(*item.second, path + "." + *name, owner + "." + *name);
        continue;
      }
      if (!seen_.insert(item.second).second) continue;
      visit_({table->items, path + "._modules", owner + "._modules"});
      for (const auto& child : table->items) {
        if (name_of(child)) (*this)(*child.second, path + "." + *name_of(child), owner + "." + *name_of(child));
      }
    }
  }

  Visit visit_;
  std::set<Ref> seen_;
};

}  // namespace tradewind::checkpoint
