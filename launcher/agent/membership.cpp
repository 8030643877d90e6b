#include "launcher/agent/membership.h"

#include <csignal>

#include "common/exit_codes.h"

namespace tradewind::launcher {

void Membership::lost(const std::string& how, TimePoint now) {
  if (fault_ || exit_code_) return;
  fault_ = how;
  stopping_ = StopSequence::prompt(now);
}

void Membership::signalled(int number, TimePoint now) {
  signal_ = number;
  if (stopping_ && number == SIGINT) stopping_->hasten(now);
}

Membership::Due Membership::passed(TimePoint now) {
  Due due;
  if (!fault_) {
    const auto tick = heartbeat_.tick(now);
    due.send_alive = tick.send && !tick.silent;
    if (tick.silent)
      lost("nothing was heard of it for " +
               std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience_.silence).count()) + " s",
           now);
  }
  if (!stopping_) return due;
  for (const StopMeans means : stopping_->advance(now)) {
    if (means == StopMeans::terminate) due.to_workers.push_back(proto::Act::Kind::terminate);
    if (means == StopMeans::kill) due.to_workers.push_back(proto::Act::Kind::kill);
    if (means != StopMeans::abandon) continue;
    due.to_workers.push_back(proto::Act::Kind::abandon);
    abandoned_ = true;
  }
  return due;
}

TimePoint Membership::deadline() const {
  if (stopping_) return stopping_->deadline().value_or(TimePoint::max());
  return heartbeat_.deadline();
}

int Membership::exit_code() const {
  if (exit_code_) return *exit_code_;
  return signal_ != 0 ? static_cast<int>(ExitCode::signal_base) + signal_ : static_cast<int>(ExitCode::failure);
}

}  // namespace tradewind::launcher
