#include "launcher/control/control_run.h"

#include <csignal>
#include <cstring>

#include "common/errors.h"
#include "launcher/agent/worker_speech.h"

namespace tradewind::launcher {
namespace {

constexpr int own_agent = 0;  // its number; those of the server begin at 1
constexpr std::size_t kept_lines = 5;
constexpr auto farewell_time = std::chrono::seconds(2);
// srun has seen its tasks end by then, unless a host of theirs is lost.
constexpr auto starter_time = std::chrono::seconds(1);

void check_size(const proto::Launch& launch) {
  try {
    proto::encode_control(launch);
  } catch (const proto::ProtocolError& error) {
    throw UserError(error.what(), "configuration", "use paths and texts in UTF-8, and less than 1 MiB of them");
  }
}

std::string how_it_ended(const proto::Ended& end, const std::deque<std::string>& lines) {
  std::string text =
      end.signal != 0 ? "srun was ended by signal " + std::to_string(end.signal) + " (" + ::strsignal(end.signal) + ")"
                      : "srun left with exit code " + std::to_string(end.code);
  if (!lines.empty()) text += ": " + lines.back();
  return text;
}

}  // namespace

ControlRun::ControlRun(ControlPlan plan, Audience& audience)
    : audience_(audience),
      loop_([this](int number) { take(conductor_.signalled(number, Clock::now())); },
            [this] { take(conductor_.passed(Clock::now())); }),
      conductor_(plan.launch, std::move(plan.expected_hosts), plan.limits, audience,
                 plan.starter ? TimePoint::max() : Clock::now()) {
  if (plan.reach) {
    check_size(plan.launch);
    server_.emplace(loop_.context(), plan.reach->token, std::move(plan.reach->listener),
                    Server::Events{.joined =
                                       [this](int agent, const proto::Join& join, const Route& route) {
                                         take(conductor_.joined(agent, join, route, Clock::now()));
                                       },
                                   .heard =
                                       [this](int agent, const proto::ControlMessage& message) {
                                         take(conductor_.heard(agent, message, Clock::now()));
                                       },
                                   .lost = [this](int agent, const std::string& how) { lost(agent, how); }},
                    plan.reach->now);
    address_ = {
        .addresses = plan.reach->address.empty() ? addresses_of_host() : std::vector<std::string>{plan.reach->address},
        .port = server_->port(),
        .token = plan.reach->token};
    if (!plan.reach->control_file.empty()) write_control(plan.reach->control_file, address_);
    control_file_ = plan.reach->control_file;
    if (plan.reach->tell) plan.reach->tell(address_);
  }
  if (plan.seats) {
    const int world_size = plan.launch.world_size;
    agent_.emplace(
        loop_.context(), std::move(plan.host), std::move(plan.environment), std::move(*plan.seats),
        [this](const proto::ControlMessage& message) { take(conductor_.heard(own_agent, message, Clock::now())); });
    take(conductor_.joined(own_agent, agent_->join(world_size), {}, Clock::now()));
  }
  if (plan.starter) start_starter(std::move(*plan.starter));
}

ControlRun::~ControlRun() {
  if (!control_file_.empty()) remove_control(control_file_, address_);
}

void ControlRun::start_starter(Spawn starter) {
  starter.environment["TRADEWIND_CONTROL"] = control_text(address_);
  starter.environment["TRADEWIND_TOKEN"] = address_.token;
  starter_ = std::make_unique<WorkerProcess>(
      loop_.context(), 0, std::make_unique<WorkerSpeech>(std::string()), spawn(loop_.context(), starter),
      [this](const proto::ControlMessage& message) {
        if (const auto* wrote = std::get_if<proto::Wrote>(&message)) {
          starter_lines_.push_back(wrote->line);
          if (starter_lines_.size() > kept_lines) starter_lines_.pop_front();
          audience_.line(Audience::starter, wrote->stream, wrote->line);
        } else if (const auto* ended = std::get_if<proto::Ended>(&message)) {
          starter_ended_ = true;
          const int code = ended->signal != 0 ? static_cast<int>(ExitCode::signal_base) + ended->signal
                           : ended->code != 0 ? ended->code
                                              : static_cast<int>(ExitCode::failure);
          take(conductor_.starter_ended(how_it_ended(*ended, starter_lines_), code, Clock::now()));
          for (const auto& [agent, how] : std::exchange(lost_meanwhile_, {}))
            take(conductor_.lost(agent, how, Clock::now()));
        }
      });
  starter_->watch();
}

// Agents go with the srun that started them: then its end is the cause, and is told first.
void ControlRun::lost(int agent, const std::string& how) {
  if (starter_ && starter_->draining())
    lost_meanwhile_.emplace_back(agent, how);
  else
    take(conductor_.lost(agent, how, Clock::now()));
}

void ControlRun::take(Orders orders) {
  for (Order& order : orders) orders_.push_back(std::move(order));
}

void ControlRun::deliver() {
  while (!orders_.empty()) {
    const Order order = std::move(orders_.front());
    orders_.pop_front();
    if (order.agent == own_agent)
      agent_->obey(order.message);
    else if (server_)
      server_->send(order.agent, order.message);
  }
}

Outcome ControlRun::run() {
  deliver();
  while (!conductor_.over()) {
    loop_.alarm_at(conductor_.deadline());
    loop_.step();
    deliver();
  }
  return conductor_.outcome();
}

void ControlRun::dismiss() {
  take(conductor_.farewell());
  deliver();
  const auto wait_for = [this](const auto& done, Clock::duration time) {
    const TimePoint end = Clock::now() + time;
    bool late = false;
    boost::asio::steady_timer timer(loop_.context(), end);
    timer.async_wait([&late](const boost::system::error_code& cancelled) { late = !cancelled; });
    while (!done() && !late) loop_.step();
    timer.cancel();
    loop_.context().poll();
  };
  if (server_) wait_for([this] { return server_->drained(); }, farewell_time);
  if (!starter_) return;
  wait_for([this] { return starter_ended_; }, starter_time);
  for (const int number : {SIGTERM, SIGKILL}) {
    if (starter_ended_) break;
    starter_->signal(number);
    wait_for([this] { return starter_ended_; }, farewell_time);
  }
}

}  // namespace tradewind::launcher
