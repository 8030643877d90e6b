// Output `printer`: a few lines of text per state, smallest and largest values.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "common/files/lock_file.h"
#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"

namespace tradewind::outputs {

class Printer : public Output, public Restartable {
 public:
  Printer(const config::PrinterOutputConfig& config, const OutputContext& context, dist::Communicator& communicator);
  ~Printer() override;
  bool wants(Duration step) const override;
  std::vector<std::string> prepare(const Outlook& outlook) override;
  void write(const State& state) override;
  void close() override;
  std::string why_no_restart() const override { return "what the output `printer` has printed cannot be taken back"; }
  Settled settle() override { return {}; }
  void resume(Settled) override {}

 private:
  config::PrinterOutputConfig config_;
  OutputContext context_;
  dist::Communicator& communicator_;
  std::string path_;
  LockFile lock_;
  std::FILE* file_ = nullptr;  // on rank 0, or
  std::unique_ptr<OrderedFile> stream_;
};

}  // namespace tradewind::outputs
