// One attribute after another of each family's tree holds something else: a wrong type, a number beyond reason, the
// tree itself. Each time there must be a clear error or a description that can be worked with; never anything else.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/checkpoint/generations/describe.h"
#include "common/checkpoint/generations/summary.h"
#include "common/checkpoint/memory_estimate.h"
#include "common/errors.h"
#include "common/refusals.h"
#include "tests/unit/checkpoint/tables.h"
#include "tests/unit/checkpoint/tree_case.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kHuge = std::int64_t{1} << 62;

// What takes the place of attributes: of each type what is worst for it, and something of another type.
class Hostile {
 public:
  explicit Hostile(Ref root) : root_(root) {}

  std::vector<Ref> in_place_of(const Value& own) const {
    const auto is = [&]<class... T>(std::variant<T...>*) { return (std::holds_alternative<T>(own.data) || ...); };
    using Number = std::variant<bool, std::int64_t, double>;
    using Many = std::variant<List, Tuple, Set, Dict>;
    using Numbers = std::variant<TensorDescriptor, Sparse>;
    if (is(static_cast<Number*>(nullptr))) return {&huge_, &negative_, &nan_, &text_};
    if (is(static_cast<std::variant<std::string>*>(nullptr))) return {&text_, &empty_text_, &negative_};
    if (is(static_cast<Many*>(nullptr))) return {&empty_list_, &roots_, &none_, &indices_};
    if (is(static_cast<Numbers*>(nullptr))) return {&indices_, &table_, &scalar_, &nothing_, &flags_, &none_};
    if (is(static_cast<std::variant<Object>*>(nullptr))) return {root_, &none_, &other_class_, &roots_};
    return {root_, &negative_, &scalar_, &other_class_};
  }

 private:
  static Value numbers(ScalarType type, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides) {
    static const std::int64_t bad[4] = {-1, kHuge, std::numeric_limits<std::int64_t>::min(), 3};
    return Value{TensorDescriptor{type, std::move(shape), std::move(strides), reinterpret_cast<const std::byte*>(bad),
                                  "hostile"}};
  }
  Ref root_;
  Value none_{None{}}, negative_{std::int64_t{-1}}, huge_{kHuge}, nan_{kNan}, empty_text_{std::string()},
      text_{std::string(5000, 'x')}, empty_list_{List{}}, roots_{List{{root_, root_}}},
      other_class_{Object{"my.Class", {}, nullptr, {}, {}}};
  Value indices_ = numbers(ScalarType::i64, {4}, {1}), table_ = numbers(ScalarType::i64, {2, 2}, {2, 1}),
        scalar_ = numbers(ScalarType::f32, {}, {}), nothing_ = numbers(ScalarType::f32, {0, 5}, {5, 1}),
        flags_ = numbers(ScalarType::boolean, {8, 4}, {4, 1});
};

// Empty when it is as it should be.
std::string complaint(const Tree& tree) {
  ModelDescription model;
  try {
    (void)summarize(tree);
    model = describe(tree);
  } catch (const UserError& error) {
    for (const Refusal& each : refusals_of(error)) {
      if (each.what.empty() || each.where.empty()) return "an error that says nothing: " + each.what;
      if (each.what.size() + each.where.size() > 2000) return "an error of many words: " + each.what.substr(0, 100);
    }
    return {};
  } catch (const std::exception& error) {
    return std::string("no error of the user's: ") + error.what();
  }
  for (const int ranks : {1, 3}) {
    const MemoryEstimate memory = estimate_memory(model, {.world_size = ranks});
    if (memory.own() < 0 || memory.kept() < 0) return "less memory than none";
  }
  return {};
}

// known: attributes that were replaced before, by class.
void replace_each(const Tree& tree, std::set<std::string>& known) {
  const Hostile hostile(&tree.root().value());
  REQUIRE(complaint(tree).empty());
  Tables visit([&](const Table& table) {
    for (auto& item : mutable_items(table.items)) {
      if (!name_of(item) || !known.insert(table.owner + "." + *name_of(item)).second) continue;
      const Ref own = item.second;
      std::size_t number = 0;
      for (const Ref other : hostile.in_place_of(*own)) {
        item.second = other;
        const std::string found = complaint(tree);
        CHECK_MESSAGE(found.empty(), table.path << "." << *name_of(item) << ", value " << number << ": " << found);
        ++number;
      }
      item.second = own;
    }
  });
  visit(tree.root().value());
  CHECK(complaint(tree).empty());
}

}  // namespace

TEST_CASE("whatever stands in an attribute's place is refused clearly or can be worked with") {
  const std::filesystem::path golden = TRADEWIND_GOLDEN_DIR, trees = golden / "../unit/checkpoint/trees";
  std::set<std::string> known;
  for (const std::string name :
       {"transport-edm", "multi-dataset", "ens-truncated", "hierarchical", "ens-noop", "temporal-downscaler"}) {
    CAPTURE(name);
    replace_each(*Tree::read(unpacked_tree((trees / (name + ".zip")).string())), known);
  }
  // Of older generations, with the truncations, injectors and ways between levels that they have.
  for (const std::string name :
       {"0.6.0-ens-small-truncation", "0.9.7-aifs-small-truncation", "0.9.3-ens-small-injector",
        "0.11.2-aifs-small-truncation", "0.12.1-ens-small-injector-matrix", "0.11.2-hierarchical-small-gnn"}) {
    CAPTURE(name);
    replace_each(*Tree::read(archive::Archive::open((golden / "legacy" / name / "inference-last.ckpt").string())),
                 known);
  }
  CHECK(known.size() > 500);
}
