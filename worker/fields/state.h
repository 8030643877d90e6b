// A forecast's state at one lead time: named fields on this rank's rows of a grid, and what of them is known before
// they are there. Plain values; a state's tensor is not written into once it is handed over.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/dates.h"
#include "worker/fields/points/points.h"
#include "worker/fields/rows.h"

namespace tradewind::fields {

// What fields lie on. Immutable and shared by the states on it; a filter that keeps some of the points makes another.
struct Grid {
  Rows rows;
  std::shared_ptr<const Points> points;  // of this rank's rows; null: they are not known
};

struct State {
  Time base{};      // reference date of the forecast
  Duration step{};  // lead time; 0 for the initial state
  Duration previous_step{};
  std::vector<std::string> variables;
  at::Tensor values;                            // (variables, rows of this rank), float32, raw units, contiguous
  std::map<std::string, Duration> start_steps;  // of variables accumulated from elsewhere than the previous step
  std::shared_ptr<const Grid> grid;
};

// States of a forecast that are due, without values: the first, the last, and one of each other kind; and how many
// there will be.
struct Due {
  std::vector<State> states;
  std::int64_t count = 0;
};

// All that a forecast is going to come to.
struct Outlook {
  struct Moment {
    Duration step{}, previous_step{};
  };
  State initial, forecast;      // without values: the state of step 0, and one as all others are
  std::vector<Moment> moments;  // of those others, in order

  Due due(const std::function<bool(Duration step)>& wanted) const;
};

}  // namespace tradewind::fields
