// Truncated residuals in the three layouts that a checkpoint may have, and what does not fit.
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

const std::string attributes = "legacy/0.6.0-aifs-small-truncation", holder = "legacy/0.9.7-aifs-small-truncation",
                  projectors = "legacy/0.11.2-aifs-small-truncation";
const std::string layers = "anemoi.models.layers.";

const std::vector<SparseDescriptor>& matrices_of(const ModelDescription& model) {
  return std::get<TruncatedResidualDescription>(model.datasets.at(0).residual).matrices;
}

// What later versions make of the residual connection: providers, and one projector for both.
Changed with_providers() {
  Changed changed(projectors);
  const auto copy = [&](const char* name) {
    return Changed::root(changed).walk("model.residual." + std::string(name)).value();
  };
  const Value down = copy("project_down"), up = copy("project_up");
  changed.add("model.residual", "provider_down", down).add("model.residual", "provider_up", up);
  changed.add("model.residual", "projector", down);
  for (const char* end : {"down", "up"}) {
    changed.rename_class(std::string("model.residual.provider_") + end,
                         layers + "graph_provider.ProjectionGraphProvider");
  }
  return changed;
}

}  // namespace

TEST_CASE("a truncated residual: two matrices, to the coarse grid and back") {
  for (const std::string& fixture : {attributes, holder, projectors}) {
    CAPTURE(fixture);
    const Changed file(fixture);
    const ModelDescription model = file.model();
    const auto& matrices = matrices_of(model);
    REQUIRE(matrices.size() == 2);
    CHECK(matrices[0].rows == 88);
    CHECK(matrices[0].columns == 360);
    CHECK(matrices[0].entries() == 88 * 9);
    CHECK(matrices[1].rows == 360);
    CHECK(matrices[1].columns == 88);
    CHECK(matrices[1].entries() == 360 * 4);
    for (const SparseDescriptor& matrix : matrices) {
      double sum = 0;
      for (const double value : to_double(matrix.values)) sum += value;
      CHECK(sum == doctest::Approx(static_cast<double>(matrix.rows)));  // rows that sum to one
    }
  }
}

TEST_CASE("a truncation with one matrix only, and without any") {
  for (const std::string& fixture : {attributes, holder}) {
    const std::string path = fixture == holder ? "model.truncation." : "model.";
    CHECK(says(Changed(fixture).set(path + "A_up", None{}), "88 rows and 360 columns, where 360 and 360 are needed"));
    CHECK(says(Changed(fixture).set(path + "A_down", None{}), "360 rows and 88 columns, where 360 and 360 are needed"));
    const ModelDescription none = Changed(fixture).set(path + "A_down", None{}).set(path + "A_up", None{}).model();
    CHECK(std::get<SkipResidualDescription>(none.datasets.at(0).residual).step == -1);
    CHECK(says(Changed(fixture).share(path + "A_up", path + "A_down"), "where 360 and 88 are needed"));
  }
  CHECK(says(Changed(holder).rename_class("model.truncation", layers + "truncation.OtherTruncation"),
             "truncation of class anemoi.models.layers.truncation.OtherTruncation is not supported"));
}

TEST_CASE("projectors that hold their matrices, and providers that do") {
  const Changed file(projectors);
  const ModelDescription before = file.model();
  CHECK(says(Changed(projectors).set("model.residual.project_up.autocast", true), "reduced precision"));
  CHECK(says(Changed(projectors).remove("model.residual.project_down", "autocast"), "no 'autocast'"));

  const Changed changed = with_providers();
  const ModelDescription after = changed.model();
  REQUIRE(matrices_of(after).size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const SparseDescriptor &ours = matrices_of(after)[i], &wanted = matrices_of(before)[i];
    CHECK(ours.rows == wanted.rows);
    CHECK(to_int64(ours.column_indices) == to_int64(wanted.column_indices));
    CHECK(to_double(ours.values) == to_double(wanted.values));
  }
  CHECK(says(with_providers().rename_class("model.residual.provider_up", layers + "graph_provider.Dynamic"),
             "provider of a projection of class anemoi.models.layers.graph_provider.Dynamic is not supported"));
  CHECK(says(with_providers().rename_class("model.residual.projector", layers + "sparse_projector.Other"),
             "projector of class"));
  CHECK(says(with_providers().set("model.residual.projector.autocast", true), "reduced precision"));
}
