// Where forecast states go. Calls are collective over the ranks of the communicator given at construction: every rank
// gives its rows, fields come together on the rank that writes them. Not thread-safe; an output may write behind, and
// close() returns only when everything is on disk under its final name. Errors: UserError for encoding and templates,
// EnvironmentFault for the file system.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/config/run_config.h"
#include "common/dates.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/grib/template_set.h"
#include "worker/inputs/input.h"
#include "worker/outputs/ordered_file.h"
#include "worker/outputs/writers.h"

namespace tradewind::outputs {

struct State {
  Time base{};      // reference date of the forecast
  Duration step{};  // lead time; 0 for the initial state
  Duration previous_step{};
  std::vector<std::string> variables;
  // (variables, rows of this rank), float32, raw units, contiguous; not to be changed once it is handed over
  at::Tensor values;
  std::map<std::string, Duration> start_steps;  // of variables accumulated from elsewhere than the previous step
};

// What a forecast is going to write: some of the states that are due, without values: the first, the last, and one of
// each other kind; and how many there will be.
struct Outlook {
  std::vector<State> states;
  std::int64_t count = 0;
};

struct OutputContext {
  const checkpoint::Metadata& metadata;  // with typed_variables merged in
  std::shared_ptr<const grib::TemplateSet> input_templates;
  std::shared_ptr<const inputs::GridPoints> points;
  dist::Shards shards;  // of the data grid
  bool allow_nans = false;
  // run-wide defaults, for what the output's own config leaves open
  bool write_initial_state = true;
  std::optional<Duration> output_frequency;
  // What of this rank may wait to be written; beyond it the next step waits.
  std::size_t pending_bytes = std::size_t{256} << 20;
  std::string run_words = {};  // what the run's lock files say of it (lock_file.h); empty: of this process
  GivenStreams streams = {};
  std::function<Site(const std::string& folder)> site_probe = {};  // where this rank stands, unless site_of() says it
};

// What an output cost this rank so far. Bytes are those of its own files or messages.
struct OutputFigures {
  std::int64_t bytes = 0;
  double encoding_seconds = 0, file_seconds = 0;  // of the threads behind, added up
  double blocked_seconds = 0;                     // the caller stood still because too much was waiting to be written
  std::int64_t most_pending_bytes = 0, pending_limit_bytes = 0;
};

class Output {
 public:
  virtual ~Output() = default;
  // Whether write() would do anything for this step, so that the caller can spare preparing it.
  virtual bool wants(Duration step) const = 0;
  // Before the first write(), of a run that does not go on from an earlier attempt: finds what would end it later (a
  // place that cannot be written, a template that is missing, keys that cannot be set) and begins the first files.
  // Returns warnings, the same on every rank.
  virtual std::vector<std::string> prepare(const Outlook&) { return {}; }
  virtual void write(const State& state) = 0;
  virtual void close() = 0;
  // Lead time of the last state that is whole in the file; nullopt before the first.
  virtual std::optional<Duration> last_written() const = 0;
  virtual OutputFigures figures() const { return {}; }
  // What the user has to see to himself, so far; empty: nothing.
  virtual std::string caution() const { return {}; }
  // Names of the files it has begun so far, the same on every rank.
  virtual std::vector<std::string> files() const { return {}; }

  // For runs that may be started again (--restart). Why this output cannot go on after an interruption; empty: it can.
  virtual std::string why_no_restart() const { return "this kind of output does not say that it can be gone on with"; }
  // Returns when every state handed over is on disk of this rank: what resume() needs, the same on every rank.
  virtual nlohmann::json settle() { return {}; }
  // Before the first write(): goes on where settle() has left files, and drops what was written after it.
  virtual void resume(const nlohmann::json&) {}
};

std::unique_ptr<Output> make_output(const config::OutputConfig& config, const OutputContext& context,
                                    dist::Communicator& communicator);

}  // namespace tradewind::outputs
