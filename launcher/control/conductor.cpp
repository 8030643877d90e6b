#include "launcher/control/conductor.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "launcher/watch/hang_watch.h"

namespace tradewind::launcher {
namespace {

constexpr int this_process = -1;  // source of signals

RankError fault(std::string what, std::string where, std::string remedy, int exit_code) {
  return {.kind = proto::FailureKind::environment,
          .what = std::move(what),
          .where = std::move(where),
          .remedy = std::move(remedy),
          .exit_code = exit_code,
          .phase = "start"};
}

RankError fault(const proto::Refused& refused) {
  return fault(refused.what, refused.where, refused.remedy, refused.exit_code);
}

}  // namespace

Conductor::Conductor(proto::Launch launch, std::vector<std::string> expected_hosts, const Limits& limits,
                     Audience& audience, TimePoint now)
    : launch_(std::move(launch)),
      limits_(limits),
      audience_(audience),
      gathering_(launch_.world_size, std::move(expected_hosts), limits.hello, now) {}

Conductor::~Conductor() = default;

Orders Conductor::joined(int agent, const proto::Join& join, const Route& route, TimePoint now) {
  auto refused = supervisor_ || early_ ? proto::Refused{.what = "the run has begun, or is over", .where = join.host}
                                       : gathering_.came(agent, join, route, now);
  if (refused) return {{agent, *refused}};
  Agent& self = agents_[agent];
  self.ranks = join.ranks;
  self.host = join.host;
  Orders orders;
  if (!route.from.empty()) {
    self.heartbeat.emplace(now, limits_.patience);
    orders.push_back({agent, proto::Welcome{}});
  }
  if (!gathering_.complete()) return orders;
  for (Order& order : launch_all(now)) orders.push_back(std::move(order));
  return orders;
}

Orders Conductor::launch_all(TimePoint now) {
  launch_.hosts = gathering_.hosts();
  if (launch_.world_size > 1 && launch_.master_address.empty()) launch_.master_address = gathering_.master_address();
  if (launch_.master_port == 0) launch_.master_port = gathering_.master_port();
  for (const auto& [agent, ranks] : gathering_.ranks())
    for (const int rank : ranks) agent_of_rank_[rank] = agent;
  audience_.hosts(launch_.hosts);
  supervisor_.emplace(launch_.world_size, limits_, now);
  watch_ = std::make_unique<HangWatch>(launch_.world_size, limits_.watch,
                                       launch_.run_folder.empty() ? std::string() : launch_.run_folder + "/hang", now);
  Orders orders;
  for (const auto& [id, agent] : agents_) orders.push_back({id, launch_});
  return orders;
}

Orders Conductor::of(const Actions& actions) const {
  Orders orders;
  for (const Action& action : actions) {
    const int agent = agent_of_rank_.at(action.rank);
    if (agents_.contains(agent)) orders.push_back({agent, action});
  }
  return orders;
}

bool Conductor::owns(int agent, int rank) const {
  const auto found = agent_of_rank_.find(rank);
  return found != agent_of_rank_.end() && found->second == agent;
}

Orders Conductor::heard(int agent, const proto::ControlMessage& message, TimePoint now) {
  const auto self = agents_.find(agent);
  if (self == agents_.end()) return {};
  if (self->second.heartbeat) self->second.heartbeat->heard(now);
  Orders orders = obey(agent, message, now);
  for (Order& order : look_for_cause(now)) orders.push_back(std::move(order));
  return orders;
}

// Lost connections are what different calls end in, too: the pages of all tell, as they are now.
Orders Conductor::look_for_cause(TimePoint now) {
  if (!supervisor_ || supervisor_->stopping() || !supervisor_->waits_for_cause() || explained_) return {};
  if (!std::exchange(looked_, true)) {
    watch_->look();
    return to_every_rank({{"look", true}});
  }
  // With the pages of a part only, a majority may look like a minority.
  const bool last_chance = supervisor_->over() || supervisor_->deadline() <= now;
  if (!watch_->seen() && !last_chance) return {};
  // That a rank had left explains much, and a better cause may still come.
  Clues clues{.misled = supervisor_->misled(), .done = {}};
  if (last_chance) clues.done = supervisor_->done();
  const auto hang = watch_->explain(clues);
  if (!hang) return {};
  explained_ = true;
  return found(*hang, now);
}

std::optional<Orders> Conductor::serve(int agent, const proto::ControlMessage& message) {
  if (const auto* ask = std::get_if<proto::Ask>(&message)) return store_.asked(agent, ask->request);
  if (const auto* want = std::get_if<proto::Want>(&message)) return store_.wanted(agent, want->keys);
  if (std::holds_alternative<proto::Got>(message)) return store_.got(agent);
  if (const auto* forgot = std::get_if<proto::Forgot>(&message)) return store_.forgot(agent, forgot->key);
  return std::nullopt;
}

Orders Conductor::obey(int agent, const proto::ControlMessage& message, TimePoint now) {
  const std::string& host = agents_.at(agent).host;
  if (const auto* signalled = std::get_if<proto::Signalled>(&message)) {
    if (supervisor_) return of(supervisor_->signalled(signalled->number, agent, now));
    return this->signalled(signalled->number, now);
  }
  if (!supervisor_) return {};
  if (auto served = serve(agent, message)) return std::move(*served);
  if (const auto* failed = std::get_if<proto::NotStarted>(&message))
    return of(supervisor_->gone(agents_.at(agent).ranks,
                                fault(failed->what, failed->where, failed->remedy, failed->exit_code), now));
  if (const auto* said = std::get_if<proto::Said>(&message)) {
    if (!owns(agent, said->rank)) return lost(agent, "spoke for a rank that is not its own", now);
    audience_.message(said->rank, said->message);
    return of(supervisor_->said(said->rank, said->message, now));
  }
  if (const auto* wrote = std::get_if<proto::Wrote>(&message)) {
    if (!owns(agent, wrote->rank)) return lost(agent, "spoke for a rank that is not its own", now);
    if (wrote->stream == proto::Stream::error) supervisor_->wrote_error_line(wrote->rank, wrote->line);
    audience_.line(wrote->rank, wrote->stream, wrote->line);
  } else if (const auto* garbled = std::get_if<proto::Garbled>(&message)) {
    if (owns(agent, garbled->rank)) return of(supervisor_->broke_protocol(garbled->rank, garbled->how, now));
  } else if (const auto* ended = std::get_if<proto::Ended>(&message)) {
    if (!owns(agent, ended->rank)) return {};
    return of(supervisor_->exited(ended->rank,
                                  {.code = ended->code,
                                   .signal = ended->signal,
                                   .peak_rss_bytes = ended->peak_rss_bytes,
                                   .out_of_memory = ended->out_of_memory},
                                  now));
  } else if (const auto* watched = std::get_if<proto::Watch>(&message)) {
    if (!owns(agent, watched->rank)) return lost(agent, "spoke for a rank that is not its own", now);
    try {
      return act_on(watch_->heard(watched->rank, watched->body, now), now);
    } catch (const proto::ProtocolError& error) {
      return lost(agent, error.what(), now);
    }
  } else if (!std::holds_alternative<proto::Alive>(message)) {
    return lost(agent, "sent what only a controller sends (" + host + ")", now);
  }
  return {};
}

Orders Conductor::lost(int agent, const std::string& how, TimePoint now) {
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return {};
  const Agent self = std::move(found->second);
  agents_.erase(found);
  const std::string what =
      "the launcher of rank " + std::to_string(self.ranks.front()) + " on " + self.host + " is gone: " + how;
  if (watch_) watch_->lost(self.ranks);
  Orders orders = store_.left(agent);
  if (supervisor_) {
    RankError error = fault(what, {}, "see whether that host is up, and what ended tradewind there", 1);
    error.host_lost = true;
    append(orders, of(supervisor_->gone(self.ranks, std::move(error), now)));
    return orders;
  }
  gathering_.left(agent);
  end_early("failed", fault(gathering_.missing(what)));
  return {};
}

// What the hang watch has to say as time goes by.
Orders Conductor::watch(TimePoint now) {
  if (supervisor_->stopping()) return {};
  Orders orders = act_on(watch_->passed(now), now);
  for (Order& order : look_for_cause(now)) orders.push_back(std::move(order));
  return orders;
}

Orders Conductor::act_on(const HangNews& news, TimePoint now) {
  if (news.looked) audience_.samples(watch_->samples());
  if (!news.warning.empty()) audience_.line(Audience::starter, proto::Stream::error, "warning: " + news.warning);
  if (news.withdrawn && hang_) {
    hang_->withdrawn = true;
    audience_.hang(*hang_);
  }
  if (news.hang && !supervisor_->stopping()) return found(*news.hang, now);
  return news.gather ? to_every_rank({{"gather", watch_->gather_seconds()}}) : Orders();
}

Orders Conductor::to_every_rank(const proto::Json& body) const {
  Orders orders;
  for (const auto& [rank, agent] : agent_of_rank_)
    if (agents_.contains(agent)) orders.push_back({agent, proto::Watch{rank, body}});
  return orders;
}

Orders Conductor::found(const Hang& hang, TimePoint now) {
  hang_ = std::make_unique<Hang>(hang);
  audience_.hang(*hang_);
  if (!hang_->stopped) return {};
  const Verdict& verdict = hang_->verdict;
  RankError error = fault("the run hangs: " + verdict.what, {}, advice_for(*hang_), static_cast<int>(ExitCode::hang));
  if (!verdict.culprits.empty()) error.rank = verdict.culprits.front();
  for (const auto& sample : hang_->samples)
    if (sample.rank == error.rank) error.phase = sample.telemetry.phase;
  return of(supervisor_->fail(std::move(error), now));
}

Orders Conductor::signalled(int number, TimePoint now) {
  if (number == SIGUSR1) {
    audience_.asked();
    return {};
  }
  if (supervisor_) return of(supervisor_->signalled(number, this_process, now));
  const int code = static_cast<int>(ExitCode::signal_base) + number;
  RankError error = fault(
      "stopped by signal " + std::to_string(number) + " (" + ::strsignal(number) + ") to the launcher", {}, {}, code);
  error.kind = proto::FailureKind::stopped;
  end_early("stopped", std::move(error));
  return {};
}

Orders Conductor::starter_ended(const std::string& how, int exit_code, TimePoint now) {
  if (!supervisor_) {
    proto::Refused missing = gathering_.missing(how);
    if (exit_code > static_cast<int>(ExitCode::signal_base)) missing.exit_code = exit_code;
    end_early("failed", fault(missing));
    return {};
  }
  if (over()) return {};
  return of(supervisor_->fail(fault(how, {}, "see what ended srun", exit_code), now));
}

void Conductor::end_early(const std::string& status, RankError error) {
  if (early_) return;
  early_.emplace();
  early_->status = status;
  early_->exit_code = error.exit_code;
  early_->ranks.resize(static_cast<std::size_t>(launch_.world_size));
  const auto hosts = gathering_.hosts();
  for (std::size_t i = 0; i < hosts.size(); ++i) early_->ranks[i].host = hosts[i];
  early_->error = std::move(error);
}

Orders Conductor::passed(TimePoint now) {
  if (over()) return {};
  Orders orders;
  std::vector<int> silent;
  for (auto& [id, agent] : agents_) {
    if (!agent.heartbeat) continue;
    const auto tick = agent.heartbeat->tick(now);
    if (tick.silent) silent.push_back(id);
    if (tick.send) orders.push_back({id, proto::Alive{}});
  }
  const auto add = [&orders](Orders more) {
    for (Order& order : more) orders.push_back(std::move(order));
  };
  for (const int agent : silent)
    add(lost(agent,
             "nothing was heard of it for " +
                 std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limits_.patience.silence).count()) +
                 " s: host unreachable, or that process is stopped",
             now));
  if (supervisor_) {
    add(watch(now));
    if (const auto fault = supervisor_->stopping() ? std::nullopt : audience_.fault())
      add(of(supervisor_->fail(*fault, now)));
    add(of(supervisor_->passed(now)));
  } else if (!early_ && now >= gathering_.deadline())
    end_early("failed", fault(gathering_.missing({})));
  return orders;
}

TimePoint Conductor::deadline() const {
  TimePoint first = TimePoint::max();
  for (const auto& [id, agent] : agents_)
    if (agent.heartbeat) first = std::min(first, agent.heartbeat->deadline());
  if (supervisor_)
    return std::min({first, supervisor_->deadline().value_or(TimePoint::max()),
                     supervisor_->stopping() ? TimePoint::max() : watch_->deadline()});
  return std::min(first, gathering_.deadline());
}

bool Conductor::over() const { return early_.has_value() || (supervisor_ && supervisor_->over()); }

Outcome Conductor::outcome() const {
  if (early_) return *early_;
  Outcome outcome = supervisor_->outcome();
  if (hang_) outcome.hang = to_json(*hang_);
  if (outcome.error && outcome.error->rank >= 0 && outcome.error->python.empty())
    outcome.error->python = watch_->crash_frames(outcome.error->rank);
  for (std::size_t i = 0; i < outcome.ranks.size(); ++i) outcome.ranks[i].host = launch_.hosts.at(i);
  return outcome;
}

Orders Conductor::farewell() const {
  const int code = outcome().exit_code;
  Orders orders;
  for (const auto& [id, agent] : agents_) orders.push_back({id, proto::Leave{code}});
  return orders;
}

}  // namespace tradewind::launcher
