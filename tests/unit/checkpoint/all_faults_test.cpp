// Everything that a tree holds and this build does not know is told at once, not one by one.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "common/checkpoint/generations/known.h"
#include "common/refusals.h"
#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

Refusals refusals_of_model(const Changed& changed) {
  Refusals out;
  attempt(out, [&] { (void)changed.model(); });
  return out;
}

bool has(const Refusals& refusals, const std::string& what, const std::string& where) {
  for (const Refusal& each : refusals) {
    if (each.what.find(what) != std::string::npos && each.where.ends_with(where)) return true;
  }
  for (const Refusal& each : refusals) MESSAGE(each.where << ": " << each.what);
  return false;
}

}  // namespace

TEST_CASE("faults of several parts come in one list, each once") {
  Changed changed("gt-transformer");
  changed.rename_class("model.encoder.0.proc.lin_query", "my.Linear");
  changed.add("model.decoder.0.proc", "gate", Value{true});
  changed.add("model.decoder.0.proc", "valve", Value{true});
  changed.rename_class("model.residual.data", "my.Residual");
  changed.rename_class("model.processor", "my.Processor");
  const Refusals all = refusals_of_model(changed);
  CHECK(all.size() == 5);
  CHECK(has(all, "class my.Linear", "model.encoder.0.proc.lin_query"));
  CHECK(has(all, "attribute `gate`", "model.decoder.0.proc.gate"));
  CHECK(has(all, "attribute `valve`", "model.decoder.0.proc.valve"));
  CHECK(has(all, "residual connection of class my.Residual", "model.residual.data"));
  CHECK(has(all, "class my.Processor", "model.processor"));
}

TEST_CASE("what every layer has is said once, with the number of places") {
  Changed changed("gt-transformer");
  for (const char* layer : {"0", "1"})
    changed.add("model.processor.proc." + std::string(layer) + ".attention", "sink_tokens", Value{std::int64_t{4}});
  const Refusals all = refusals_of_model(changed);
  REQUIRE(all.size() == 1);
  CHECK(has(all, "`sink_tokens`", "model.processor.proc.0.attention.sink_tokens"));
  CHECK(has(all, "in 1 more places", ""));
}

TEST_CASE("a survey finds nothing in what runs") {
  int trees = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TRADEWIND_GOLDEN_DIR)) {
    if (entry.path().extension() != ".ckpt") continue;
    CAPTURE(entry.path().string());
    const auto tree = Tree::read(archive::Archive::open(entry.path().string()));
    const Refusals found = survey(tree->root());
    for (const Refusal& each : found) MESSAGE(each.where << ": " << each.what);
    CHECK(found.empty());
    ++trees;
  }
  CHECK(trees >= 5);
}
