// Where forecast states go. Calls are collective over the ranks of the communicator given at construction: every rank
// gives its rows, fields come together on the rank that writes them. Not thread-safe; an output may write behind, and
// close() returns only when everything is on disk under its final name. Errors: UserError for encoding and templates,
// EnvironmentFault for the file system.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/archive/archive.h"
#include "common/checkpoint/metadata.h"
#include "common/config/outputs/outputs.h"
#include "common/dates.h"
#include "worker/dist/communicator.h"
#include "worker/fields/state.h"
#include "worker/outputs/ordered_file.h"
#include "worker/outputs/writers.h"

namespace tradewind::outputs {

using fields::Due;
using fields::Outlook;
using fields::State;

struct OutputContext {
  const checkpoint::Metadata& metadata;            // with typed_variables
  const checkpoint::Metadata* named_by = nullptr;  // without them, for filters; null: the same
  bool allow_nans = false;
  // run-wide defaults, for what the output's own config leaves open
  bool write_initial_state = true;
  std::optional<Duration> output_frequency = {};
  // What of this rank may wait to be written; beyond it the next step waits.
  std::size_t pending_bytes = std::size_t{256} << 20;
  std::string run_words = {};  // what the run's lock files say of it (lock_file.h); empty: of this process
  GivenStreams streams = {};
  std::function<Site(const std::string& folder)> site_probe = {};  // where this rank stands, unless site_of() says it
  std::shared_ptr<const archive::Archive> archive = {};            // of the checkpoint, for filters that read from it
  std::optional<config::ParallelWriters> writers = {};             // what `parallel` asks of the output in it
};

// What an output cost this rank so far. Bytes are those of its own files or messages.
struct OutputFigures {
  std::int64_t bytes = 0;
  double encoding_seconds = 0, file_seconds = 0;  // of the threads behind, added up
  double blocked_seconds = 0;                     // the caller stood still because too much was waiting to be written
  std::int64_t most_pending_bytes = 0, pending_limit_bytes = 0;
};

// What only some kinds can (restartable.h, template_user.h) is asked for by dynamic_cast.
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
  virtual OutputFigures figures() const { return {}; }
  // What the user has to see to himself, so far; empty: nothing.
  virtual std::string caution() const { return {}; }
  // Names of the files it has begun so far, the same on every rank.
  virtual std::vector<std::string> files() const { return {}; }
  // The outputs that it is made of.
  virtual std::vector<Output*> parts() const { return {}; }
};

// With the output's own filters before it.
std::unique_ptr<Output> make_output(const config::OutputConfig& config, const OutputContext& context,
                                    dist::Communicator& communicator);

}  // namespace tradewind::outputs
