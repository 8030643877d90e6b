// An output with filters of its own before it. They see the states that the output writes; those before an output that
// is made of others, every state.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "worker/filters/chain.h"
#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"

namespace tradewind::outputs {

class Filtered : public Output, public Restartable {
 public:
  Filtered(filters::Chain chain, std::unique_ptr<Output> output, bool every_state)
      : chain_(std::move(chain)), output_(std::move(output)), every_state_(every_state) {}
  bool wants(Duration step) const override { return every_state_ || output_->wants(step); }
  std::vector<std::string> prepare(const Outlook& outlook) override;
  void write(const State& state) override;
  void close() override { output_->close(); }
  OutputFigures figures() const override { return output_->figures(); }
  std::string caution() const override { return output_->caution(); }
  std::vector<std::string> files() const override { return output_->files(); }
  std::vector<Output*> parts() const override { return {output_.get()}; }

  std::string why_no_restart() const override;
  Settled settle() override;
  void resume(Settled settled) override;

 private:
  filters::Chain chain_;
  std::unique_ptr<Output> output_;
  bool every_state_;
};

}  // namespace tradewind::outputs
