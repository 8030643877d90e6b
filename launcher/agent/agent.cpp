#include "launcher/agent/agent.h"

#include <unistd.h>

#include <csignal>

#include "common/errors.h"
#include "launcher/agent/program_speech.h"
#include "launcher/agent/worker_speech.h"
#include "launcher/evidence/evidence_folder.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/process/loading.h"
#include "launcher/programs/program.h"

namespace tradewind::launcher {
namespace {

constexpr int not_loaded = 127;  // exit code of the system's loader

void act(WorkerProcess& worker, proto::Act::Kind kind) {
  switch (kind) {
    case proto::Act::Kind::send_start:
      worker.send_start();
      break;
    case proto::Act::Kind::send_stop:
      worker.send_stop();
      break;
    case proto::Act::Kind::terminate:
      worker.signal(SIGTERM);
      worker.signal(SIGCONT);  // a stopped process takes the other only now
      break;
    case proto::Act::Kind::kill:
      worker.signal(SIGKILL);
      break;
    case proto::Act::Kind::abandon:
      worker.abandon();
      break;
  }
}

proto::NotStarted not_started(const Error& error) {
  return {.what = error.message(),
          .where = error.where(),
          .remedy = error.remedy(),
          .exit_code = static_cast<int>(error.exit_code())};
}

}  // namespace

Agent::Agent(boost::asio::io_context& context, Host host, Environment environment, Seats seats, Send send)
    : context_(context),
      host_(std::move(host)),
      environment_(std::move(environment)),
      seats_(std::move(seats)),
      send_(std::move(send)),
      watchman_(context, host_.name, [this](int rank, proto::Json body) {
        send_(proto::Watch{rank, std::move(body)});
      }) {
  program_port_ = std::move(seats_.program_port);
}

proto::Join Agent::join(int world_size) const {
  return {.host = host_.name,
          .pid = ::getpid(),
          .world_size = world_size,
          .ranks = seats_.ranks,
          .master_address = seats_.master_address,
          .master_port = port_of(program_port_)};
}

void Agent::launch(const proto::Launch& launch) {
  try {
    start(launch);
    return;
  } catch (const proto::ProtocolError& error) {
    workers_.clear();
    send_(not_started(
        UserError(error.what(), "configuration", "use paths and texts in UTF-8, and less than 1 MiB of them")));
  } catch (const Error& error) {
    workers_.clear();
    send_(not_started(error));
  }
}

void Agent::pass_on(proto::ControlMessage message) {
  if (const auto* said = std::get_if<proto::Said>(&message))
    if (const auto* request = std::get_if<proto::StoreRequest>(&said->message))
      return tell(store_.asked(said->rank, *request));
  if (const auto* wrote = std::get_if<proto::Wrote>(&message)) {
    const std::string trouble = logs_->write(wrote->rank, wrote->line);
    if (!trouble.empty()) send_(proto::Wrote{wrote->rank, proto::Stream::error, trouble});
  } else if (const auto* said = std::get_if<proto::Said>(&message)) {
    spoke_.insert(said->rank);
  } else if (auto* ended = std::get_if<proto::Ended>(&message)) {
    const bool fell = ended->code == not_loaded || ended->signal != 0;
    if (fell && !spoke_.contains(ended->rank) && !told_why_) {
      told_why_ = true;
      const std::string why = loading_trouble(host_.worker, environment_.variables());
      if (!why.empty()) send_(proto::Wrote{ended->rank, proto::Stream::error, why});
    }
    if (guard_) forget_session(ended->rank);
    if (const auto kill = watchman_.ended(ended->rank)) ended->out_of_memory = text_of(*kill);
  }
  send_(std::move(message));
}

void Agent::forget_session(int rank) {
  for (const auto& worker : workers_)
    if (worker->rank() == rank) guard_->remove(worker->pid());
}

void Agent::start(const proto::Launch& launch) {
  logs_ = std::make_unique<RankLogs>(launch.run_folder);
  const int local_size = seats_.local_size;
  std::vector<RankPlan> plans = plan_ranks(launch, host_, environment_, std::move(seats_));
  if (launch.command == exec_command)
    start_programs(std::move(plans), launch, local_size);
  else
    start_workers(std::move(plans));
  for (auto& worker : workers_) worker->watch();
}

void Agent::add(const RankPlan& plan, std::unique_ptr<Speech> speech) {
  const int rank = plan.start.rank;
  workers_.push_back(
      std::make_unique<WorkerProcess>(context_, rank, std::move(speech), spawn(context_, plan.spawn),
                                      [this](proto::ControlMessage message) { pass_on(std::move(message)); }));
  if (guard_) guard_->add(workers_.back()->pid());
  watchman_.started(rank, workers_.back()->pid());
}

void Agent::start_workers(std::vector<RankPlan> plans) {
  std::vector<std::unique_ptr<Speech>> speeches;  // before the first process: encoding may throw
  for (RankPlan& plan : plans) {
    host_.worker = plan.spawn.executable;
    plan.start.telemetry_descriptor = telemetry_descriptor_of_worker;
    speeches.push_back(std::make_unique<WorkerSpeech>(proto::encode(plan.start)));
  }
  for (std::size_t i = 0; i < plans.size(); ++i) {
    plans[i].spawn.telemetry = watchman_.page_of(plans[i].start.rank);
    add(plans[i], std::move(speeches[i]));
  }
}

void Agent::start_programs(std::vector<RankPlan> plans, const proto::Launch& launch, int local_size) {
  const Program program = program_of(launch.arguments);
  std::string evidence;
  if (!launch.run_folder.empty()) evidence = make_evidence_folder(launch.run_folder, program.python);
  watchman_.expect_programs(evidence);
  guard_ = std::make_unique<SessionGuard>();
  for (RankPlan& plan : plans) {
    if (!evidence.empty()) forget_evidence(launch.run_folder, plan.start.rank);
    turn_into(plan, program, launch, local_size, environment_);
    if (!evidence.empty()) point_to_evidence(evidence, program.python, plan.spawn.environment);
  }
  for (RankPlan& plan : plans) {
    const int rank = plan.start.rank;
    const std::string log =
        launch.run_folder.empty() ? std::string() : launch.run_folder + "/logs/rank-" + std::to_string(rank) + ".log";
    add(plan, std::make_unique<ProgramSpeech>(watchman_.shared_page(rank), log));
  }
}

void Agent::obey(const proto::ControlMessage& message) {
  if (const auto* launched = std::get_if<proto::Launch>(&message)) {
    if (workers_.empty()) launch(*launched);
  } else if (const auto* order = std::get_if<proto::Act>(&message)) {
    for (auto& worker : workers_)
      if (worker->rank() == order->rank && !worker->over()) act(*worker, order->kind);
  } else if (const auto* watch = std::get_if<proto::Watch>(&message)) {
    watchman_.obey(watch->rank, watch->body);
  } else if (const auto* answer = std::get_if<proto::Answer>(&message)) {
    tell(store_.heard(*answer));
  } else if (const auto* values = std::get_if<proto::Values>(&message)) {
    tell(store_.heard(*values));
  } else if (const auto* forget = std::get_if<proto::Forget>(&message)) {
    tell(store_.heard(*forget));
  }
}

void Agent::tell(StoreRelay::Told told) {
  for (auto& [rank, answer] : told.ranks)
    for (auto& worker : workers_)
      if (worker->rank() == rank && !worker->over()) worker->tell(answer);
  for (auto& message : told.controller) send_(std::move(message));
}

void Agent::to_all(proto::Act::Kind kind) {
  for (auto& worker : workers_)
    if (!worker->over()) act(*worker, kind);
}

bool Agent::living() const {
  for (const auto& worker : workers_)
    if (!worker->over()) return true;
  return false;
}

}  // namespace tradewind::launcher
