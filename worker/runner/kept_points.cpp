#include "worker/runner/kept_points.h"

#include <utility>

#include "common/errors.h"
#include "common/stopwatch.h"

namespace tradewind::runner {

void require_restartable(const forecast::Forecast& forecast, const nn::Model& model, const std::string& name) {
  for (const forecast::DatasetRun& dataset : forecast.datasets()) {
    if (const std::string why = dataset.delivery().why_no_restart(); !why.empty())
      throw UserError(why, "--restart", "leave --restart out, or use an output whose files can be gone on with");
  }
  if (!model.keeps_nothing())
    throw UserError("the runner '" + name + "' may keep something between steps", "--restart",
                    "leave --restart out, or have the runner say that it keeps nothing (base_runner.h)");
}

KeptPoints::KeptPoints(const Restart& restart, const std::string& checkpoint, dist::Communicator& communicator)
    : communicator_(communicator) {
  if (restart.folder.empty()) return;
  points_.emplace(restart.folder, restart.resume,
                  forecast::RunIdentity{.run = restart.run_id, .config = restart.config, .checkpoint = checkpoint},
                  communicator);
  resume_ = restart.resume;
}

void KeptPoints::begin(forecast::Forecast& forecast, report::Reporter& reporter) {
  if (points_ && resume_) {
    if (auto point = points_->read(forecast.restart_shape())) {
      const int calls = point->calls;
      forecast.resume(std::move(*point));
      if (communicator_.rank() == 0) reporter.note("goes on after step " + std::to_string(calls));
      return;
    }
  }
  for (const std::string& warning : forecast.begin()) {
    if (communicator_.rank() == 0) reporter.warning(warning);
  }
}

void KeptPoints::keep(forecast::Forecast& forecast) {
  if (!points_) return;
  const forecast::RestartPoint point = forecast.point();
  const Stopwatch watch;
  points_->write(point);
  seconds_ += watch.seconds();
}

void KeptPoints::remove() {
  if (points_) points_->remove();
}

}  // namespace tradewind::runner
