// What a run may be started again from (`--restart`), kept after every step. Without a restart folder it does nothing.
// Collective. Not thread-safe. Errors: UserError for what cannot be gone on with; those of restart_point.h.
#pragma once

#include <optional>
#include <string>

#include "worker/dist/communicator.h"
#include "worker/forecast/forecast.h"
#include "worker/forecast/restart_point.h"
#include "worker/nn/model.h"
#include "worker/report/reporter.h"
#include "worker/runner/commands.h"

namespace tradewind::runner {

// UserError unless the forecast, interrupted and taken up again, is byte for byte the same. `name`: of the runner.
void require_restartable(const forecast::Forecast& forecast, const nn::Model& model, const std::string& name);

class KeptPoints {
 public:
  // checkpoint: what tells its content.
  KeptPoints(const Restart& restart, const std::string& checkpoint, dist::Communicator& communicator);

  // From the beginning, or from where the attempt before has come to.
  void begin(forecast::Forecast& forecast, report::Reporter& reporter);
  // Between two calls.
  void keep(forecast::Forecast& forecast);
  // The run is whole.
  void remove();

  double seconds() const { return seconds_; }  // of writing points

 private:
  dist::Communicator& communicator_;
  std::optional<forecast::RestartPoints> points_;
  bool resume_ = false;
  double seconds_ = 0;
};

}  // namespace tradewind::runner
