#include "common/checkpoint/opening/obstacles.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

const std::string gt_transformer = std::string(TRADEWIND_GOLDEN_DIR) + "/gt-transformer/inference-last.ckpt";

Refusals with(const char* patch, Wanted wanted = {}) {
  wanted.patch_metadata = Json::parse(patch);
  return obstacles(gt_transformer, wanted);
}

// One of the refusals says this at this place.
bool says(const Refusals& refusals, const std::string& what, const std::string& where) {
  const bool found = std::any_of(refusals.begin(), refusals.end(), [&](const Refusal& each) {
    return each.what.find(what) != std::string::npos && each.where.find(where) != std::string::npos;
  });
  if (!found)
    for (const Refusal& each : refusals) MESSAGE(each.where << ": " << each.what);
  return found;
}

constexpr const char* three_faults = R"({"metadata_inference": {"task": "auto_encoder"},
    "config": {"training": {"precision": "64-true"}},
    "supporting_arrays_paths": {"data": {"output_mask": {"path": "x", "shape": [5248], "dtype": "bool"}}}})";

}  // namespace

TEST_CASE("a checkpoint that runs has no obstacles") { CHECK(obstacles(gt_transformer).empty()); }

TEST_CASE("what stands in the way of a forecast is said all at once, each with place and remedy") {
  const Refusals all = with(three_faults);
  REQUIRE(all.size() == 3);
  CHECK(says(all, "the task auto_encoder", gt_transformer + ": metadata: metadata_inference.task"));
  CHECK(says(all, "no entry x", "supporting array output_mask"));
  CHECK(says(all, "precision '64-true'", "config.training.precision"));
  for (const Refusal& each : all) CHECK_FALSE(each.remedy.empty());
}

TEST_CASE("who opens the checkpoint meets the same list") {
  try {
    open_checkpoint(gt_transformer, {.patch_metadata = Json::parse(three_faults)});
    FAIL("opened");
  } catch (const Refused& refused) {
    CHECK(refused.refusals() == with(three_faults));
    CHECK(refused.exit_code() == ExitCode::bad_input);
  }
}

TEST_CASE("a precision of the config makes that of the checkpoint no matter") {
  const char* patch = R"({"config": {"training": {"precision": "64-true"}}})";
  CHECK(with(patch).size() == 1);
  CHECK(with(patch, {.precision_given = true}).empty());
}

TEST_CASE("calls of the model on raw tensors ask nothing of a forecast's facts") {
  CHECK(with(three_faults, {.forecast = false}).empty());
}

TEST_CASE("tasks that are forecasts by another name run") {
  for (const char* task : {"forecaster", "default", "offset-forecaster", "offset_forecaster"}) {
    CAPTURE(task);
    CHECK(with((std::string(R"({"metadata_inference": {"task": ")") + task + "\"}}").c_str()).empty());
  }
}

TEST_CASE("a computed forcing without a formula is an obstacle") {
  const Refusals all = with(
      R"({"dataset": {"data": {"variables_metadata": {"t_850": {"computed_forcing": true},
                                                      "z": {"computed_forcing": true}}}}})");
  CHECK(all.size() == 2);
  CHECK(says(all, "computed forcing 't_850'", "variables_metadata.t_850"));
  CHECK(says(all, "computed forcing 'z'", "variables_metadata.z"));
}

TEST_CASE("rows of time that the model does not have are an obstacle") {
  const Refusals all = with(
      R"({"metadata_inference": {"data": {"timesteps": {"advance_map": {"inin": [[2, 0]], "outin": [[0, -3]]}}}}})");
  CHECK(all.size() == 2);
  CHECK(says(all, "row 2 of 2 time steps", "advance_map.inin"));
  CHECK(says(all, "row -3 of 2 time steps", "advance_map.outin"));
}

TEST_CASE("a file that is no checkpoint is one obstacle") {
  const Refusals all = obstacles(std::string(TRADEWIND_GOLDEN_DIR) + "/gt-transformer/config.yaml");
  REQUIRE(all.size() == 1);
  CHECK(all[0].what == "not a zip file");
}

TEST_CASE("coordinates that are not those of the model's points are an obstacle") {
  const char* shape = R"({"supporting_arrays_paths": {"data": {"latitudes": {"shape": [5248, 199800]},
                                                               "longitudes": {"dtype": "object"}}}})";
  const Refusals all = with(shape);
  CHECK(all.size() == 2);
  CHECK(says(all, "the shape 5248 x 199800 where 5248 values are needed", "supporting array latitudes"));
  CHECK(says(all, "type object is not supported", "supporting array longitudes"));
}
