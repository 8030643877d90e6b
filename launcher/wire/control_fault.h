// What a controller or a client says when it does not go on, as an error with its own exit code.
#pragma once

#include "common/errors.h"
#include "proto/control.h"

namespace tradewind::launcher {

class ControlFault : public EnvironmentFault {
 public:
  explicit ControlFault(const proto::Refused& refused)
      : EnvironmentFault(refused.what, refused.where, refused.remedy), code_(refused.exit_code) {}
  ExitCode exit_code() const override { return static_cast<ExitCode>(code_); }

 private:
  int code_;
};

}  // namespace tradewind::launcher
