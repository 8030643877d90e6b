// Inputs out of datasets of anemoi-datasets: `dataset`, and `test`, `training`, `validation`, which are those that the
// checkpoint was trained with.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/config/inputs/open_dataset.h"
#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct DatasetOptions {
  std::optional<std::vector<std::int64_t>> grid_indices = {};  // points of the dataset that make the model's grid
  bool operator==(const DatasetOptions&) const = default;
};

struct DatasetInputConfig : DatasetOptions {
  std::optional<OpenDataset> dataset = {};  // none: what the checkpoint was trained with

  static constexpr const char* kind = "dataset";
  static DatasetInputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
  bool operator==(const DatasetInputConfig&) const = default;
};

// A part of the data of the training, `kind` is its name.
struct TestInputConfig : DatasetOptions {
  static constexpr const char* kind = "test";
  static TestInputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}  // the checkpoint knows the paths
  bool operator==(const TestInputConfig&) const = default;
};
struct TrainingInputConfig : DatasetOptions {
  static constexpr const char* kind = "training";
  static TrainingInputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const TrainingInputConfig&) const = default;
};
struct ValidationInputConfig : DatasetOptions {
  static constexpr const char* kind = "validation";
  static ValidationInputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const ValidationInputConfig&) const = default;
};

}  // namespace tradewind::config
