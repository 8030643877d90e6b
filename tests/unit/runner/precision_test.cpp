#include "worker/runner/precision.h"

#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/unit/forecast/recording_reporter.h"

using namespace tradewind;
using runner::choose_precision;
using runner::precision_named;

TEST_CASE("the config's precision wins over the checkpoint's") {
  RecordingReporter reporter;
  checkpoint::Metadata metadata;
  metadata.precision = "16-mixed";
  CHECK(choose_precision(Precision::f32, metadata, reporter) == Precision::f32);
  CHECK(choose_precision(std::nullopt, metadata, reporter) == Precision::f16);
  metadata.precision = "bf16-mixed";
  CHECK(choose_precision(std::nullopt, metadata, reporter) == Precision::bf16);
  metadata.precision = "32";
  CHECK(choose_precision(std::nullopt, metadata, reporter) == Precision::f32);
  CHECK(reporter.warnings.empty());
}

TEST_CASE("without any precision f16 is taken, with a warning") {
  RecordingReporter reporter;
  CHECK(choose_precision(std::nullopt, {}, reporter) == Precision::f16);
  CHECK(reporter.warnings.size() == 1);
}

TEST_CASE("an unknown precision of the checkpoint is refused by name") {
  RecordingReporter reporter;
  checkpoint::Metadata metadata;
  metadata.precision = "32-true";
  CHECK_THROWS_WITH_AS(choose_precision(std::nullopt, metadata, reporter), doctest::Contains("'32-true'"), UserError);
}

TEST_CASE("a precision by a name that is none is refused, not taken for another") {
  CHECK(precision_named("f32") == Precision::f32);
  CHECK(precision_named("bf16") == Precision::bf16);
  for (const std::string name : {"", "f64", "F16", "fp16", "float"}) {
    const std::string quoted = std::string("'").append(name).append("'");
    CHECK_THROWS_WITH_AS(precision_named(name), doctest::Contains(quoted.c_str()), UserError);
  }
}
