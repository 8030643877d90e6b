#include "launcher/agent/member_run.h"

#include <csignal>
#include <optional>
#include <utility>

#include "common/errors.h"
#include "launcher/process/leaving.h"
#include "launcher/wire/control_fault.h"

namespace tradewind::launcher {
namespace {

class MemberRun {
 public:
  explicit MemberRun(MemberPlan plan)
      : membership_(Clock::now(), plan.patience),
        patience_(plan.patience),
        loop_([this](int number) { signalled(number); }, [this] { passed(); }),
        agent_(loop_.context(), std::move(plan.host), std::move(plan.environment), std::move(plan.seats),
               [this](const proto::ControlMessage& message) { client_.send(message); }),
        client_(loop_.context(), std::move(plan.look), agent_.join(plan.world_size), plan.wait,
                {.joined = [this] { joined(); },
                 .heard = [this](const proto::ControlMessage& message) { heard(message); },
                 .lost = [this](const std::string& how) { membership_.lost(how, Clock::now()); },
                 .failed = [this](const proto::Refused& why) { never_joined_ = why; }}) {}

  int run() {
    while (!never_joined_ && !membership_.over(agent_.living())) {
      if (joined_) loop_.alarm_at(membership_.deadline());
      loop_.step();
      if (joined_ && membership_.alone()) passed();
    }
    if (never_joined_) {
      if (membership_.exit_code() != static_cast<int>(ExitCode::failure)) return membership_.exit_code();
      throw ControlFault(*never_joined_);
    }
    if (membership_.alone())
      throw EnvironmentFault("lost the launcher of rank 0: " + *membership_.fault(), client_.controller(),
                             "its own output and the run folder's report say more, if it still lives");
    return membership_.exit_code();
  }

 private:
  bool joined_ = false;
  std::optional<proto::Refused> never_joined_;

  void joined() {
    joined_ = true;
    membership_ = Membership(Clock::now(), patience_);
  }
  void heard(const proto::ControlMessage& message) {
    membership_.heard(Clock::now());
    if (const auto* leave = std::get_if<proto::Leave>(&message))
      membership_.dismissed(leave->exit_code);
    else
      agent_.obey(message);
  }
  void signalled(int number) {
    if (number == SIGUSR1) return;  // the controller has the table
    membership_.signalled(number, Clock::now());
    if (joined_)
      client_.send(proto::Signalled{number});
    else
      membership_.dismissed(static_cast<int>(ExitCode::signal_base) + number);
  }
  void passed() {
    const Membership::Due due = membership_.passed(Clock::now());
    if (due.send_alive) client_.send(proto::Alive{});
    for (const auto kind : due.to_workers) agent_.to_all(kind);
  }

  Membership membership_;
  Patience patience_;
  Loop loop_;
  Agent agent_;
  Client client_;
};

}  // namespace

int run_member(MemberPlan plan) {
  std::optional<MemberRun> run(std::in_place, std::move(plan));
  const int code = run->run();
  const SignalsHeld held;
  run.reset();
  if (code != 0) leave_on_signals(code);
  return code;
}

}  // namespace tradewind::launcher
