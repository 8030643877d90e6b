// Names that configuration, command line and checkpoint share: devices and precisions.
#include <doctest/doctest.h>

#include <string>

#include "common/device_name.h"
#include "common/precision.h"

using namespace tradewind;

TEST_CASE("names of devices") {
  CHECK_FALSE(device_name_of("cpu")->cuda);
  CHECK(device_name_of("cuda")->cuda);
  CHECK_FALSE(device_name_of("cuda")->index);
  CHECK(device_name_of("cuda:0")->index == 0);
  CHECK(device_name_of("cuda:127")->index == 127);
  for (const char* none : {"", "cuda:", "cuda:1000", "cuda:-1", "cuda: 1", "cuda:1x", "CUDA", "cpu:0", "mps"}) {
    CAPTURE(none);
    CHECK_FALSE(device_name_of(none));
  }
}

TEST_CASE("every name of a precision is known, and nothing else") {
  for (const std::string& name : precision_names()) CHECK(precision_of(name));
  CHECK(precision_of("32") == Precision::f32);
  CHECK(precision_of("16-mixed") == Precision::f16);
  CHECK(precision_of("bf16-mixed") == Precision::bf16);
  for (const char* none : {"", "f64", "fp16", "F16", "32 "}) {
    CAPTURE(none);
    CHECK_FALSE(precision_of(none));
  }
  CHECK(bytes_of(Precision::f32) == 4);
  CHECK(bytes_of(Precision::f16) == 2);
  CHECK(bytes_of(Precision::bf16) == 2);
}
