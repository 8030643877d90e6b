// One attribute after another is taken out of each fixture's tree: each time there must be a clear error, or a
// description that has not changed. A wrong forecast must not be possible.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "common/checkpoint/generations/describe.h"
#include "common/errors.h"
#include "common/refusals.h"
#include "tests/unit/checkpoint/tables.h"
#include "tests/unit/checkpoint/tree_case.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

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

bool can_be_described(const Tree& tree) {
  try {
    describe(tree);
    return true;
  } catch (const UserError&) {
    return false;
  }
}

struct Count {
  int refused = 0, unchanged = 0;
};

// known: attributes that need not be taken out again, by generation and class; those that are taken out are added.
Count take_out_each(const Tree& tree, std::set<std::string>& known) {
  const ModelDescription whole = describe(tree);
  Count count;
  Tables visit([&](const Table& table) {
    // Options of a sampler have defaults: without one of them a checkpoint says something else.
    if (is_repeated_layer(table.path) || table.path.find(".inference_defaults") != std::string::npos) return;
    Items& items = mutable_items(table.items);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (is_left_out(items, i, table.path)) continue;
      const auto item = items[i];
      const std::string name = name_of(item) ? *name_of(item) : "?";
      if (!known.insert(whole.generation + " " + table.owner + "." + name).second) continue;
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
      const Outcome outcome = outcome_of(tree, whole);
      items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), item);
      if (outcome == Outcome::changed) CHECK_MESSAGE(false, table.path << "." << name);
      (outcome == Outcome::refused ? count.refused : count.unchanged) += 1;
    }
  });
  visit(tree.root().value());
  CHECK(describe(tree) == whole);
  return count;
}

}  // namespace

TEST_CASE("a tree without one of its attributes is refused, or means the same") {
  const std::filesystem::path golden = TRADEWIND_GOLDEN_DIR;
  std::set<std::string> names, known;
  Count all;
  const auto take_out = [&](const Tree& tree) {
    const Count count = take_out_each(tree, known);
    all.refused += count.refused;
    all.unchanged += count.unchanged;
  };
  for (const auto& entry : std::filesystem::directory_iterator(golden / "../unit/checkpoint/trees")) {
    const std::string name = entry.path().stem().string();
    CAPTURE(name);
    names.insert(name);
    take_out(*Tree::read(unpacked_tree(entry.path().string())));
  }
  for (const char* family : {"ens-noop", "ens-truncated", "hierarchical", "multi-2in-3out", "multi-dataset",
                             "temporal-downscaler", "transport-edm", "transport-si-zero"}) {
    CHECK_MESSAGE(names.contains(family), family);
  }
  const auto take_out_of_each = [&](const std::filesystem::path& folder, bool outside = false) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string file = (entry.path() / "inference-last.ckpt").string(), name = entry.path().filename().string();
      if (!std::filesystem::exists(file) || !names.insert(name).second) continue;
      CAPTURE(name);
      const auto tree = Tree::read(archive::Archive::open(file));
      // A model that this build refuses by name leaves nothing to take out; the project's own cases are none of them.
      if (!outside || can_be_described(*tree)) take_out(*tree);
    }
  };
  take_out_of_each(golden);
  take_out_of_each(golden / "legacy");
  CHECK(names.size() >= 30);
  if (const char* fixtures = std::getenv("TRADEWIND_FIXTURES")) {
    take_out_of_each(std::filesystem::path(fixtures) / "latest", true);
    take_out_of_each(std::filesystem::path(fixtures) / "legacy", true);
  }
  MESSAGE(all.refused, " refused, ", all.unchanged, " of no account");
  CHECK(all.refused > 1500);
  CHECK(all.unchanged > 3000);
}
