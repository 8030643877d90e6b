// Output `tee`: every state to several outputs, each with its own choice of steps and variables.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"

namespace tradewind::outputs {

class TeeOutput : public Output, public Restartable {
 public:
  TeeOutput(const config::TeeOutputConfig& config, const OutputContext& context, dist::Communicator& communicator);
  bool wants(Duration step) const override;  // when any of them does
  std::vector<std::string> prepare(const Outlook& outlook) override;
  void write(const State& state) override;
  void close() override;
  OutputFigures figures() const override;
  std::string caution() const override;
  std::vector<std::string> files() const override;
  std::vector<Output*> parts() const override;

  std::string why_no_restart() const override;
  Settled settle() override;
  void resume(Settled settled) override;

 private:
  std::vector<std::unique_ptr<Output>> outputs_;
};

}  // namespace tradewind::outputs
