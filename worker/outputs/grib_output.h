// Output `grib`: one message per variable and state, in the order of the state's variables.
// Encoding and writing run behind: write() hands a state over and returns; the next call waits for its encoding, agrees
// with the other ranks on where each message goes, and hands the bytes to the file thread.
// With several ranks field i is encoded by rank i % size, and written by it where that rank may write the file
// (writers.h), else by one that may.
// What a rank holds: its share of one state's fields in float32 and their messages, rows in exchange (exchange_bytes),
// and messages that wait to be written (OutputContext::pending_bytes); a rank that writes for others their messages
// too.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "worker/grib/encode.h"
#include "worker/grib/identity.h"
#include "worker/grib/templates.h"
#include "worker/outputs/file_layout.h"
#include "worker/outputs/file_sink.h"
#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"
#include "worker/outputs/task_threads.h"
#include "worker/outputs/template_user.h"

namespace tradewind::outputs {

class GribOutput : public Output, public Restartable, public TemplateUser {
 public:
  GribOutput(const config::GribOutputConfig& config, const OutputContext& context, dist::Communicator& communicator);
  bool wants(Duration step) const override;
  std::vector<std::string> prepare(const Outlook& outlook) override;
  void write(const State& state) override;
  void close() override;
  OutputFigures figures() const override;
  std::string why_no_restart() const override;
  Settled settle() override;
  std::string caution() const override;
  std::vector<std::string> files() const override { return layout_.files(); }
  void resume(Settled settled) override;
  void take_templates(std::shared_ptr<const grib::TemplateSet> messages) override {
    input_messages_ = std::move(messages);
  }

 private:
  struct Field {
    std::size_t position = 0;  // among the state's variables
    std::string variable;
    std::string path;  // pattern
    grib::Json keys;
  };
  // What prepare() finds of a field.
  struct Preview {
    std::string path;
    double bytes = 0;      // of its message, at most
    std::string geometry;  // the same for messages that describe the same points
  };
  // Which field of which state that is due, as describe() lists them.
  struct Occurrence {
    std::size_t state = 0, field = 0;
  };
  // A state on its way: this rank's fields, whole, and what became of them.
  struct Step {
    Duration step{};
    std::size_t field_count = 0;     // of all ranks
    std::vector<Field> fields;       // this rank's
    std::vector<at::Tensor> values;  // (points), of this rank's fields; let go once encoded
    std::vector<Message> messages;   // of this rank, in order
  };

  grib::Templates& templates(const fields::Grid& grid);
  std::vector<Field> describe(const State& state);
  Preview preview(const Field& field, const State& state);
  std::vector<std::string> settle_paths(const std::vector<grib::Json>& found, std::int64_t states);
  void check_points(const Field& field, const State& state);
  std::string path_of(std::size_t field, std::size_t count) const;
  std::vector<at::Tensor> gather(const State& state, const std::vector<Field>& fields);
  Message encode(const Step& step, std::size_t field);
  void finish_step();
  void claim_files();

  config::GribOutputConfig config_;
  OutputContext context_;
  dist::Communicator& communicator_;
  grib::KeyRules rules_;
  std::shared_ptr<const grib::TemplateSet> input_messages_;  // null: none
  std::optional<grib::Templates> templates_;                 // known when the first state's grid is
  FileSink sink_;
  FileLayout layout_;
  std::mutex previews_;
  std::map<std::string, double> bytes_of_kind_;  // of a message, by how it is packed; guarded by previews_
  std::atomic<std::int64_t> encoding_nanoseconds_ = 0;
  std::unique_ptr<Step> step_;  // being encoded
  TaskThreads threads_;         // last: its threads read what is above
};

}  // namespace tradewind::outputs
