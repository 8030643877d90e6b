// What a forecast does, model call by model call: where the inputs lie in time, which rows of the outputs are states
// that are due, and which rows of the next input are filled anew. Lead times count from the forecast's date. Pure: a
// call is worked out when it is asked for, since a long forecast has many. Errors: UserError naming lead time or time
// step.
#pragma once

#include <cstdint>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/dates.h"
#include "worker/forecast/advance.h"

namespace tradewind::forecast {

// How a dataset stands in time around a model call.
struct DatasetSteps {
  std::vector<Duration> inputs, outputs;  // of the rows of x and y, relative to the newest input
  AdvanceMap moves;                       // of rows, to make the next input
  bool operator==(const DatasetSteps&) const = default;
};
// As the checkpoint's metadata have it. UserError for a row that the model does not have.
DatasetSteps steps_of(const checkpoint::TimeStepping& time, std::int64_t input_steps, std::int64_t output_steps);

// A row of y that is a state of the forecast.
struct DueState {
  std::int64_t row = 0;
  Duration step{}, previous{};  // lead times of the state and of the one before it
  bool operator==(const DueState&) const = default;
};

// A row of the next x that y fills; its forcings are those of that lead time.
struct FilledRow {
  std::int64_t row = 0;
  Duration lead{};
  bool operator==(const FilledRow&) const = default;
};

// A dataset's part in a model call.
struct DatasetCall {
  Duration next_start{};          // Call::end
  std::vector<Duration> inputs;   // lead times of the rows of x
  std::vector<DueState> states;   // in order; none beyond the forecast's lead time
  std::vector<FilledRow> filled;  // in the order in which they are filled
};

struct Call {
  int number = 0;                     // from 0
  bool last = false;                  // there is no next input to be made
  Duration start{}, end{};            // lead times of the newest input, and of that of the next call
  std::vector<DatasetCall> datasets;  // in the model's order
};

class Plan {
 public:
  // Of a roll-out: each call moves the forecast on by `shift`, the last one may reach beyond `lead_time`.
  Plan(Time date, Duration lead_time, Duration shift, std::vector<DatasetSteps> datasets);
  // Of a temporal downscaler: each call fills a window of that length, which ends within `lead_time`. Inputs and
  // outputs of `datasets` count from the window's start. UserError when there is no window.
  static Plan of_windows(Time date, Duration lead_time, Duration window, std::vector<DatasetSteps> datasets);

  Time date() const { return date_; }
  Time valid(Duration lead) const { return date_ + lead; }
  int calls() const { return calls_; }
  // Whether no call goes on from the one before.
  bool starts_anew() const { return windows_; }
  const std::vector<DatasetSteps>& datasets() const { return datasets_; }
  // From 0 to calls() - 1.
  Call call(int number) const;

 private:
  Time date_;
  Duration lead_time_, shift_;
  std::vector<DatasetSteps> datasets_;
  int calls_;
  bool windows_ = false;
};

// Model calls that reach `lead_time`.
int model_calls(Duration lead_time, Duration shift);

}  // namespace tradewind::forecast
