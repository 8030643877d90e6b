#include "launcher/supervisor/supervisor.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "common/exit_codes.h"
#include "launcher/process/loading.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t kept_lines = 20;
constexpr int not_loaded = 127;  // exit code of the system's loader

bool ended_by(const RankError& error, int signal) {
  return error.silent && error.exit_code == static_cast<int>(ExitCode::signal_base) + signal;
}

// By a signal that a batch system or a terminal sends to every process of a job, the launcher's among them.
bool asked_to_end(const RankError& error) {
  return ended_by(error, SIGTERM) || ended_by(error, SIGINT) || ended_by(error, SIGHUP);
}

// How much an error says about the first cause: a lost connection is what the failure of another rank looks like.
int weight(const RankError& error) {
  if (error.kind == proto::FailureKind::connection) return 0;
  return error.perhaps_knock_on || asked_to_end(error) ? 1 : 2;
}

// The loader's own line tells whether the libraries are wrong or the session's limits.
std::string loading_remedy(const std::string& line) {
  const auto speaks_of = [&](const char* text) { return line.find(text) != std::string::npos; };
  if (speaks_of("failed to map segment") || speaks_of("annot allocate memory")) return remedy_for(ENOMEM);
  if (speaks_of("Too many open files")) return remedy_for(EMFILE);
  if (speaks_of("Permission denied")) return "make the library and its folders readable to you";
  return "install Tradewind anew, or build it with that LibTorch; see that LD_LIBRARY_PATH and LD_PRELOAD name none of "
         "its libraries";
}

RankError worker_fault(std::string what, std::string remedy, int exit_code) {
  return {.kind = proto::FailureKind::environment,
          .what = std::move(what),
          .remedy = std::move(remedy),
          .exit_code = exit_code};
}

}  // namespace

Supervisor::Supervisor(int ranks, Limits limits, TimePoint now)
    : limits_(limits), ranks_(static_cast<std::size_t>(ranks)), hello_deadline_(now + limits.hello) {}

std::optional<int> Supervisor::misled() const {
  return error_ && error_->kind == proto::FailureKind::internal ? std::optional(error_->rank) : std::nullopt;
}

std::vector<int> Supervisor::done() const {
  std::vector<int> ranks;
  for (std::size_t i = 0; i < ranks_.size(); ++i)
    if (ranks_[i].exited && ranks_[i].finished && !ranks_[i].error) ranks.push_back(static_cast<int>(i));
  return ranks;
}

int Supervisor::living() const {
  int count = 0;
  for (const Rank& rank : ranks_) count += rank.exited ? 0 : 1;
  return count;
}

Actions Supervisor::everywhere(Action::Kind kind) const {
  Actions actions;
  for (std::size_t i = 0; i < ranks_.size(); ++i)
    if (!ranks_[i].exited) actions.push_back({kind, static_cast<int>(i)});
  return actions;
}

Actions Supervisor::said(int rank, const proto::Message& message, TimePoint now) {
  Rank& self = ranks_.at(static_cast<std::size_t>(rank));
  if (const auto* hello = std::get_if<proto::Hello>(&message)) {
    if (self.said_hello) return broke_protocol(rank, "a second `hello`", now);
    if (hello->version != proto::protocol_version)
      return failed(rank,
                    worker_fault("the worker speaks protocol version " + std::to_string(hello->version) +
                                     ", this launcher version " + std::to_string(proto::protocol_version),
                                 "install tradewind and tradewind-worker from the same build", 1),
                    now);
    self.said_hello = true;
    self.result.pid = hello->pid;
    bool all = true;
    for (const Rank& other : ranks_) all = all && other.said_hello;
    if (all) hello_deadline_.reset();
    if (stopping_) return {};
    return {{Action::Kind::send_start, rank}};
  }
  if (!self.said_hello) return broke_protocol(rank, "a message before `hello`", now);
  if (const auto* ready = std::get_if<proto::Ready>(&message)) {
    self.result.device = ready->device;
  } else if (const auto* phase = std::get_if<proto::Phase>(&message)) {
    self.phase = phase->name;
  } else if (const auto* step = std::get_if<proto::Step>(&message)) {
    if (rank == 0) steps_ = step->step;
  } else if (const auto* finished = std::get_if<proto::Finished>(&message)) {
    self.finished = *finished;
    self.result.peak_device_bytes = finished->peak_device_bytes;
    self.result.peak_rss_bytes = finished->peak_rss_bytes;
    self.result.figures = finished->figures;
  } else if (const auto* failure = std::get_if<proto::Failure>(&message)) {
    return failed(rank,
                  {.kind = failure->kind,
                   .what = failure->what,
                   .where = failure->where,
                   .remedy = failure->remedy,
                   .exit_code = failure->exit_code,
                   // A rank that computes with what it should not have got may fail anywhere.
                   .perhaps_knock_on = failure->kind == proto::FailureKind::internal},
                  now);
  } else if (std::holds_alternative<proto::Start>(message) || std::holds_alternative<proto::Stop>(message)) {
    return broke_protocol(rank, "a message that only a launcher sends", now);
  }
  return {};
}

Actions Supervisor::broke_protocol(int rank, const std::string& how, TimePoint now) {
  return failed(rank,
                {.kind = proto::FailureKind::internal,
                 .what = "the worker broke the protocol: " + how,
                 .remedy = "install tradewind and tradewind-worker from the same build"},
                now);
}

void Supervisor::wrote_error_line(int rank, const std::string& line) {
  Rank& self = ranks_.at(static_cast<std::size_t>(rank));
  self.traceback.feed(line);
  auto& lines = self.last_lines;
  lines.push_back(line);
  if (lines.size() > kept_lines) lines.pop_front();
}

Actions Supervisor::exited(int rank, const Exit& exit, TimePoint now) {
  Rank& self = ranks_.at(static_cast<std::size_t>(rank));
  self.exited = true;
  self.result.peak_rss_bytes = std::max(self.result.peak_rss_bytes, exit.peak_rss_bytes);
  Actions actions;
  const bool as_announced = self.finished && exit.signal == 0 && exit.code == self.finished->exit_code;
  const bool by_us = stopping_ && (exit.signal == SIGTERM || exit.signal == SIGKILL);
  if (!self.error && !as_announced && !by_us) {
    RankError error;
    if (!exit.out_of_memory.empty() && exit.signal == SIGKILL) {
      error = worker_fault(
          "the " + limits_.child + " was ended by the kernel: out of memory (" + exit.out_of_memory + ")",
          "ask for more memory, or use more ranks on more hosts", static_cast<int>(ExitCode::out_of_memory));
    } else if (!self.said_hello && !self.last_lines.empty() &&
               (exit.code == not_loaded || self.last_lines.back().starts_with(other_libtorch))) {
      error = worker_fault("the worker cannot be loaded: " + self.last_lines.back(),
                           loading_remedy(self.last_lines.back()), static_cast<int>(ExitCode::failure));
    } else if (exit.signal != 0) {
      error = worker_fault("the " + limits_.child + " was ended by signal " + std::to_string(exit.signal) + " (" +
                               ::strsignal(exit.signal) + ")",
                           exit.signal == SIGKILL
                               ? "find out who sent it; the system's log tells whether the kernel ran out of memory"
                               : "",
                           static_cast<int>(ExitCode::signal_base) + exit.signal);
      error.signal = exit.signal;
    } else {
      error = worker_fault(
          "the worker left with exit code " + std::to_string(exit.code) + " without finishing or saying why", "",
          exit.code == 0 ? static_cast<int>(ExitCode::failure) : exit.code);
    }
    error.silent = true;
    // Gloo aborts a healthy rank that receives what it did not expect.
    error.perhaps_knock_on = exit.signal == SIGABRT;
    actions = failed(rank, std::move(error), now);
  }
  settle();
  return actions;
}

Actions Supervisor::gone(const std::vector<int>& ranks, RankError error, TimePoint now) {
  int first = -1;
  for (const int rank : ranks) {
    Rank& self = ranks_.at(static_cast<std::size_t>(rank));
    if (!self.exited && first < 0) first = rank;
    self.exited = true;
  }
  Actions actions;
  if (first >= 0) actions = failed(first, std::move(error), now);
  settle();
  return actions;
}

Actions Supervisor::fail(RankError error, TimePoint now) {
  if (stopping_) return {};
  error_ = std::move(error);
  return stop(StopSequence::prompt(now), now);
}

Actions Supervisor::failed(int rank, RankError error, TimePoint now) {
  Rank& self = ranks_.at(static_cast<std::size_t>(rank));
  if (self.error) return {};
  error.rank = rank;
  error.phase = self.phase;
  self.error = error;
  if (stopping_) return {};  // a consequence of the stop, or too late to be the cause
  if (!error_ || weight(error) > weight(*error_)) error_ = error;
  if (weight(*error_) < 2) {
    if (!cause_deadline_) cause_deadline_ = now + limits_.better_cause;
    return {};
  }
  return stop(StopSequence::prompt(now), now);
}

Actions Supervisor::stop(StopSequence sequence, TimePoint now) {
  hello_deadline_.reset();
  cause_deadline_.reset();
  stopping_ = std::move(sequence);
  return passed(now);
}

Actions Supervisor::signalled(int number, int source, TimePoint now) {
  const bool again = number == SIGINT && !interrupted_.insert(source).second;
  if (stopping_) {
    if (again) stopping_->hasten(now);
    return passed(now);
  }
  signal_ = number;
  // The same signal, sent to the whole job, has ended workers, and cut the others off from them.
  if (error_ && (asked_to_end(*error_) || error_->kind == proto::FailureKind::connection)) error_.reset();
  Actions actions = stop(StopSequence::orderly(now), now);
  settle();
  return actions;
}

Actions Supervisor::passed(TimePoint now) {
  if (over_) return {};
  if (hello_deadline_ && now >= *hello_deadline_) {
    hello_deadline_.reset();
    int came = 0, missing = -1;
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      came += ranks_[i].said_hello ? 1 : 0;
      if (!ranks_[i].said_hello && missing < 0) missing = static_cast<int>(i);
    }
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(limits_.hello).count();
    return failed(
        missing,
        worker_fault("the worker did not come: " + std::to_string(came) + " of " + std::to_string(ranks_.size()) +
                         " ranks came within " + std::to_string(waited) + " s",
                     "see what holds tradewind-worker up: a slow or stuck file system, or a machine out of "
                     "memory or CPUs",
                     static_cast<int>(ExitCode::ranks_missing)),
        now);
  }
  if (cause_deadline_ && now >= *cause_deadline_) {
    Actions actions = stop(StopSequence::prompt(now), now);
    settle();
    return actions;
  }
  Actions actions;
  if (!stopping_) return actions;
  for (const StopMeans means : stopping_->advance(now)) {
    const auto kind = means == StopMeans::ask         ? Action::Kind::send_stop
                      : means == StopMeans::terminate ? Action::Kind::terminate
                      : means == StopMeans::kill      ? Action::Kind::kill
                                                      : Action::Kind::abandon;
    const Actions more = everywhere(kind);
    actions.insert(actions.end(), more.begin(), more.end());
    if (means == StopMeans::abandon) over_ = true;
  }
  return actions;
}

std::optional<TimePoint> Supervisor::deadline() const {
  if (over_) return std::nullopt;
  if (stopping_) return stopping_->deadline();
  std::optional<TimePoint> first = hello_deadline_;
  if (cause_deadline_ && (!first || *cause_deadline_ < *first)) first = cause_deadline_;
  return first;
}

void Supervisor::settle() {
  const bool signal_may_follow = cause_deadline_ && asked_to_end(*error_);
  if (living() == 0 && !signal_may_follow) over_ = true;
}

RankError Supervisor::with_lines(RankError error) const {
  if (error.rank < 0) return error;
  const Rank& rank = ranks_.at(static_cast<std::size_t>(error.rank));
  error.last_lines.assign(rank.last_lines.begin(), rank.last_lines.end());
  error.python = lines_of(rank.traceback.frames());
  return error;
}

Outcome Supervisor::outcome() const {
  Outcome outcome;
  bool whole = true;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const Rank& rank = ranks_[i];
    outcome.ranks.push_back(rank.result);
    if (!rank.exited) outcome.left_behind.push_back(static_cast<int>(i));
    whole = whole && rank.exited && rank.finished && !rank.error;
    const bool knocked = rank.error && rank.error->kind != proto::FailureKind::stopped;
    if (knocked && error_ && error_->rank != rank.error->rank) outcome.knock_on.push_back(with_lines(*rank.error));
    if (rank.finished) outcome.exit_code = std::max(outcome.exit_code, rank.finished->exit_code);
  }
  outcome.steps = steps_;
  if (ranks_.front().finished) {
    outcome.steps = ranks_.front().finished->steps;
    outcome.seconds = ranks_.front().finished->seconds;
  }
  if (whole) {
    outcome.status = "done";
  } else if (error_) {
    outcome.status = "failed";
    outcome.exit_code = error_->exit_code;
    outcome.error = with_lines(*error_);
  } else {
    outcome.status = "stopped";
    outcome.exit_code = static_cast<int>(ExitCode::signal_base) + signal_;
    outcome.error = RankError{
        .kind = proto::FailureKind::stopped,
        .what = "stopped by signal " + std::to_string(signal_) + " (" + ::strsignal(signal_) + ") to the launcher",
        .exit_code = outcome.exit_code,
        .phase = ranks_.front().phase};
  }
  return outcome;
}

}  // namespace tradewind::launcher
