// Where in a forecast a model call is, and what the forecast lends to it. A plain value.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "common/dates.h"

namespace tradewind::nn {

struct StepContext {
  int call = 0;       // of the forecast, from 0
  Time valid_time{};  // of the newest input
  // The forecast's own random numbers, in the same state on every rank; undefined where the caller has none.
  at::Generator random;
  // Standard normal numbers for all rows, float32 on the CPU, in place of those that the model would draw: (rows,
  // channels), of a transport model's source (output steps, rows, output variables); undefined: it draws.
  at::Tensor noise;
};

}  // namespace tradewind::nn
