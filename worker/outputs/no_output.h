// Output `none`.
#pragma once

#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"

namespace tradewind::outputs {

class NoOutput : public Output, public Restartable {
 public:
  NoOutput(const config::NoOutputConfig& /*config*/, const OutputContext& /*context*/,
           dist::Communicator& /*communicator*/) {}
  bool wants(Duration) const override { return false; }
  void write(const State&) override {}
  void close() override {}
  Settled settle() override { return {}; }
  void resume(Settled) override {}
};

}  // namespace tradewind::outputs
