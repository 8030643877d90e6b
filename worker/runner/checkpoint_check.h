// That all ranks read the same checkpoint, that it is whole, and that it stays as it is: what of this costs time is
// done beside the forecast, each entry once per host. Collective at construction and in finish(). Not thread-safe.
// Errors: UserError naming the file and the damaged entry; EnvironmentFault when the file has changed since.
#pragma once

#include <memory>

#include "common/archive/archive.h"
#include "worker/dist/communicator.h"
#include "worker/report/reporter.h"
#include "worker/weights/background_check.h"

namespace tradewind::runner {

class CheckpointCheck {
 public:
  CheckpointCheck(std::shared_ptr<const archive::Archive> archive, dist::Communicator& communicator,
                  report::Reporter& reporter);
  // After each step: throws what was found so far.
  void look() { check_.look(); }
  // Before the output gets its name: returns when every rank has found its part of the file as it should be.
  void finish();

 private:
  std::shared_ptr<const archive::Archive> archive_;
  dist::Communicator& communicator_;
  weights::BackgroundCheck check_;
};

}  // namespace tradewind::runner
