// One attribute after another is taken out of each fixture's tree: each time there must be a clear error, or a
// description that has not changed. A wrong forecast must not be possible.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/generations/describe.h"
#include "common/errors.h"
#include "common/refusals.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

using Items = std::vector<std::pair<Ref, Ref>>;

// The test owns the tree alone, so it may change what is const to everybody else.
Items& mutable_items(const Items& items) { return const_cast<Items&>(items); }  // NOLINT

const Items* state_of(const Value& value) {
  const auto* object = std::get_if<Object>(&value.data);
  const auto* dict = object && object->state ? std::get_if<Dict>(&object->state->data) : nullptr;
  return dict ? &dict->items : nullptr;
}

const std::string* name_of(const std::pair<Ref, Ref>& item) { return std::get_if<std::string>(&item.first->data); }

// Calls `visit` with each table of attributes of the modules below `module`, and the path of the module.
void each_table(const Value& module, const std::string& path, std::set<Ref>& seen,
                const std::function<void(const Items&, const std::string&)>& visit) {
  const Items* state = state_of(module);
  if (state == nullptr || !seen.insert(&module).second) return;
  visit(*state, path);
  for (const auto& item : *state) {
    const std::string* name = name_of(item);
    const auto* table = std::get_if<Dict>(&item.second->data);
    if (name == nullptr) continue;
    if (table != nullptr) visit(table->items, path + "." + *name);
    if (*name == "attention" || *name == "truncation") each_table(*item.second, path + "." + *name, seen, visit);
    if (*name != "_modules" || table == nullptr) continue;
    for (const auto& child : table->items) {
      if (name_of(child)) each_table(*child.second, path + "." + *name_of(child), seen, visit);
    }
  }
}

enum class Outcome { unchanged, refused, changed };

Outcome outcome_of(const Tree& tree, const ModelDescription& whole) {
  try {
    ModelDescription description = describe(tree);
    description.generation = whole.generation;  // a name; nothing is computed from it
    description.parameters = whole.parameters;  // likewise; modules that are never called have some, too
    return description == whole ? Outcome::unchanged : Outcome::changed;
  } catch (const UserError& error) {
    const Refusals all = refusals_of(error);
    const bool clear = std::all_of(all.begin(), all.end(),
                                   [](const Refusal& each) { return !each.what.empty() && !each.where.empty(); });
    return clear ? Outcome::refused : Outcome::changed;
  }
}

// A list that ends earlier is a legal list, and hooks are refused unless there are none. Layers after the first repeat
// it, which costs time and shows nothing.
bool is_left_out(const Items& items, std::size_t i, const std::string& path) {
  const std::string* name = name_of(items[i]);
  if (name && name->find("_hook") != std::string::npos) return true;
  const bool last_of_list = i + 1 == items.size() && name && path.ends_with("_modules") && *name == std::to_string(i);
  return last_of_list && path.find("boundings") != std::string::npos;
}

bool is_repeated_layer(const std::string& path) {
  for (const char* list : {".processor.proc.", ".blocks."}) {
    const auto at = path.find(list);
    if (at != std::string::npos && path.at(at + std::string(list).size()) != '0') return true;
  }
  return false;
}

bool can_be_described(const std::string& checkpoint) {
  try {
    describe(*Tree::read(Archive::open(checkpoint)));
    return true;
  } catch (const UserError&) {
    return false;
  }
}

void take_out_each(const std::string& checkpoint) {
  const auto tree = Tree::read(Archive::open(checkpoint));
  const ModelDescription whole = describe(*tree);
  std::set<Ref> seen;
  int refused = 0, unchanged = 0;
  each_table(tree->root().value(), "", seen, [&](const Items& table, const std::string& path) {
    if (is_repeated_layer(path)) return;
    Items& items = mutable_items(table);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (is_left_out(items, i, path)) continue;
      const auto item = items[i];
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
      const Outcome outcome = outcome_of(*tree, whole);
      items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), item);
      const std::string whole = path + "." + (name_of(item) ? *name_of(item) : "?");
      CHECK_MESSAGE(outcome != Outcome::changed, whole);
      (outcome == Outcome::refused ? refused : unchanged) += 1;
    }
  });
  CHECK(describe(*tree) == whole);
  CHECK(refused > 100);
  CHECK(unchanged > 200);
}

}  // namespace

TEST_CASE("a tree without one of its attributes is refused, or means the same") {
  const std::filesystem::path golden = TRADEWIND_GOLDEN_DIR;
  std::set<std::string> names;
  const auto take_out_of_each = [&](const std::filesystem::path& folder, bool outside = false) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string file = (entry.path() / "inference-last.ckpt").string(), name = entry.path().filename().string();
      if (!std::filesystem::exists(file) || !names.insert(name).second) continue;
      CAPTURE(name);
      // A model that this build refuses by name leaves nothing to take out; the project's own cases are none of them.
      if (outside && !can_be_described(file)) continue;
      take_out_each(file);
    }
  };
  take_out_of_each(golden);
  take_out_of_each(golden / "legacy");
  CHECK(names.size() >= 10);
  if (const char* fixtures = std::getenv("TRADEWIND_FIXTURES")) {
    take_out_of_each(std::filesystem::path(fixtures) / "latest", true);
    take_out_of_each(std::filesystem::path(fixtures) / "legacy", true);
  }
}
