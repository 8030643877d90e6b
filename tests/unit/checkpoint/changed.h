// A fixture's tree with other values in it, to see what a description makes of options that no fixture has.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/generations/describe.h"
#include "common/errors.h"

namespace tradewind::checkpoint {

// A fixture's tree, owned alone, so that its values may be changed.
class Changed {
 public:
  explicit Changed(const std::string& fixture)
      : tree_(Tree::read(
            archive::Archive::open(std::string(TRADEWIND_GOLDEN_DIR) + "/" + fixture + "/inference-last.ckpt"))) {}

  // Puts another value in the attribute's place: the old one may be shared.
  template <class T>
  Changed& set(const std::string& path, T value) {
    const auto dot = path.rfind('.');
    added_.push_back(Value{std::move(value)});
    REQUIRE(replace(tree_->root().walk(path.substr(0, dot)).value(), path.substr(dot + 1), &added_.back()));
    return *this;
  }
  Changed& set_list(const std::string& path, std::vector<Value> values) {
    List list;
    for (Value& value : values) {
      added_.push_back(std::move(value));
      list.items.push_back(&added_.back());
    }
    return set(path, std::move(list));
  }
  // Takes the attribute out of an object's state.
  Changed& remove(const std::string& path, const std::string& name) {
    auto& state = const_cast<Value&>(*std::get<Object>(tree_->root().walk(path).value().data).state);  // NOLINT
    std::erase_if(std::get<Dict>(state.data).items, [&](const auto& item) {
      const auto* key = std::get_if<std::string>(&item.first->data);
      return key && *key == name;
    });
    return *this;
  }
  // Puts the value at `from` also at `path`.
  Changed& share(const std::string& path, const std::string& from) {
    const auto dot = path.rfind('.');
    const Ref value = &tree_->root().walk(from).value();
    REQUIRE(replace(tree_->root().walk(path.substr(0, dot)).value(), path.substr(dot + 1), value));
    return *this;
  }
  Changed& rename_class(const std::string& path, const std::string& name) {
    auto& data = const_cast<Value&>(tree_->root().walk(path).value()).data;  // NOLINT
    if (auto* object = std::get_if<Object>(&data)) object->name = name;
    if (auto* global = std::get_if<Global>(&data)) global->name = name;
    return *this;
  }
  Changed& add(const std::string& path, const std::string& name, Value value) {
    const Value& object = tree_->root().walk(path).value();
    added_.push_back(Value{name});
    const Ref key = &added_.back();
    added_.push_back(std::move(value));
    auto& state = const_cast<Value&>(*std::get<Object>(object.data).state);  // NOLINT
    std::get<Dict>(state.data).items.emplace_back(key, &added_.back());
    return *this;
  }

  static Node root(const Changed& changed) { return changed.tree_->root(); }
  ModelDescription model() const { return describe(*tree_); }
  TransformerBlockDescription block() const {
    const ModelDescription whole = model();
    return std::get<TransformerProcessorDescription>(std::get<ProcessStage>(whole.trunk.at(0)).processor).blocks.at(0);
  }
  // Message and place of the error.
  std::string error() const {
    try {
      describe(*tree_);
    } catch (const UserError& error) {
      return error.message() + " @ " + error.where() + " (" + error.remedy() + ")";
    }
    return "";
  }

 private:
  // In a dict, in an object's state, or in the tables of a module.
  static bool replace(const Value& holder, const std::string& name, Ref value) {
    const auto* object = std::get_if<Object>(&holder.data);
    if (object && object->dict_items.empty()) return replace(*object->state, name, value);
    // What is a dict of a class of its own has its entries beside its state.
    const auto& entries = object ? object->dict_items : std::get<Dict>(holder.data).items;
    for (auto& item : const_cast<std::vector<std::pair<Ref, Ref>>&>(entries)) {  // NOLINT
      const auto* key = std::get_if<std::string>(&item.first->data);
      if (key && *key == name) {
        item.second = value;
        return true;
      }
      const bool table = key && (*key == "_parameters" || *key == "_buffers" || *key == "_modules");
      if (table && replace(*item.second, name, value)) return true;
    }
    return false;
  }

  std::shared_ptr<const Tree> tree_;
  std::deque<Value> added_;
};

inline bool says(const Changed& changed, const std::string& text) {
  const std::string error = changed.error();
  const bool found = error.find(text) != std::string::npos;
  if (!found) MESSAGE(error);
  return found;
}

}  // namespace tradewind::checkpoint
