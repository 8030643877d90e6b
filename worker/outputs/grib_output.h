// Output `grib`: one message per variable and state, in the order of the state's variables.
// Encoding and writing run behind: write() hands a state over and returns; the next call waits for its encoding, agrees
// with the other ranks on where each message goes, and hands the bytes to the file thread.
// With several ranks field i is encoded and written by rank i % size.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/grib/encode.h"
#include "worker/grib/identity.h"
#include "worker/grib/templates.h"
#include "worker/outputs/file_sink.h"
#include "worker/outputs/output.h"
#include "worker/outputs/task_threads.h"

namespace tradewind::outputs {

class GribOutput : public Output {
 public:
  GribOutput(const config::GribOutputConfig& config, const OutputContext& context, dist::Communicator& communicator);
  bool wants(Duration step) const override;
  void write(const State& state) override;
  void close() override;
  std::optional<Duration> last_written() const override;

 private:
  struct Field {
    std::size_t position = 0;  // among the state's variables
    std::string variable;
    std::shared_ptr<const grib::Handle> message_template;
    grib::Json keys;
  };
  struct Message {
    std::string path, bytes;
  };
  // A state on its way: this rank's fields, whole, and what became of them.
  struct Step {
    Duration step{};
    std::size_t field_count = 0;    // of all ranks
    std::vector<Field> fields;      // this rank's
    at::Tensor values;              // (fields of this rank, points)
    std::vector<Message> messages;  // of this rank, in order
  };

  std::vector<Field> describe(const State& state);
  at::Tensor gather(const State& state, const std::vector<Field>& fields);
  Message encode(const Step& step, std::size_t field) const;
  void finish_step();

  config::GribOutputConfig config_;
  OutputContext context_;
  dist::Communicator& communicator_;
  grib::KeyRules rules_;
  grib::Templates templates_;
  std::map<std::string, std::uint64_t> sizes_;  // of the files so far, the same on all ranks
  FileSink sink_;
  std::unique_ptr<Step> step_;  // being encoded
  TaskThreads threads_;         // last: its threads read what is above
};

}  // namespace tradewind::outputs
