#include "launcher/watch/watchman.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "launcher/watch/kernel_log.h"
#include "launcher/watch/nccl_ras.h"
#include "launcher/watch/process_facts.h"
#include "launcher/watch/program_facts.h"
#include "launcher/watch/program_witness.h"

namespace tradewind::launcher {
namespace {

using Clock = std::chrono::steady_clock;

Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void put(proto::Json& body, Answers answers) {
  body["frames"] = std::move(answers.frames);
  if (answers.flight) body["flight"] = encode_flight(*answers.flight);
}

}  // namespace

Watchman::Watchman(boost::asio::io_context& context, std::string host, Send send)
    : context_(context), host_(std::move(host)), send_(std::move(send)), timer_(context), stacks_(context) {}

int Watchman::page_of(int rank) { return wards_[rank].page.descriptor(); }

void Watchman::started(int rank, pid_t pid) {
  Ward& ward = wards_[rank];
  ward.pid = pid;
  ward.started = microseconds_since_boot();
  ward.memory.emplace(pid);
  if (timer_.expiry() <= Clock::now()) arm();
}

std::optional<MemoryKill> Watchman::ended(int rank) {
  const auto found = wards_.find(rank);
  if (found == wards_.end()) return std::nullopt;
  Ward& ward = found->second;
  ward.ended = true;
  proto::Json last = {{"sample", proto::encode_sample(sample_of(rank, ward))}};
  if (evidence_ && !evidence_->empty()) put(last, last_words(*evidence_, rank));
  send_(rank, std::move(last));
  return ward.memory ? ward.memory->since_start() : std::nullopt;
}

void Watchman::arm() {
  timer_.expires_after(duration_of(sample_interval_seconds));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    send_samples();
    const bool living = std::any_of(wards_.begin(), wards_.end(), [](const auto& w) { return !w.second.ended; });
    if (living) arm();
  });
}

// A look at every process of the host, for which one time in several samples is often enough.
void Watchman::look_up_processes() {
  constexpr auto pause = std::chrono::seconds(3);
  next_look_up_ = Clock::now() + pause;
  std::set<pid_t> sessions;
  for (const auto& [rank, ward] : wards_)
    if (ward.pid > 0 && !ward.ended) sessions.insert(ward.pid);
  const auto found = processes_of_sessions(sessions);
  for (auto& [rank, ward] : wards_)
    if (const auto own = found.find(ward.pid); own != found.end()) ward.processes = own->second;
}

void Watchman::send_samples() {
  if (evidence_ && Clock::now() >= next_look_up_) look_up_processes();
  for (const auto& [rank, ward] : wards_)
    if (ward.pid > 0 && !ward.ended) {
      proto::RankSample sample = sample_of(rank, ward);
      sample.telemetry.earlier.clear();  // nobody looks at it while all goes well
      send_(rank, {{"sample", proto::encode_sample(sample)}});
    }
}

proto::RankSample Watchman::sample_of(int rank, const Ward& ward) const {
  proto::RankSample sample{.rank = rank, .pid = ward.pid, .host = host_, .exited = ward.ended};
  sample.telemetry = ward.page.read();
  if (evidence_ && !ward.ended) {
    sample.pid = main_process(ward.pid, ward.processes);
    sample.program = program_facts(ward.processes.empty() ? std::vector<pid_t>{ward.pid} : ward.processes);
  }
  if (!ward.ended) sample.process = process_facts(sample.pid);
  if (stacks_.is_tool(sample.process.tracer)) sample.process.tracer = 0;
  return sample;
}

void Watchman::obey(int rank, const proto::Json& body) {
  const auto found = wards_.find(rank);
  if (found == wards_.end() || found->second.ended) return;
  if (body.contains("look")) look(rank, found->second);
  const auto cap = body.find("gather");
  if (cap == body.end() || !cap->is_number()) return;
  // A little earlier than the controller stops waiting, so that what there is arrives.
  constexpr double margin = 0.5;
  gather(rank, found->second, Clock::now() + duration_of(std::max(0.5, cap->get<double>() - margin)));
}

void Watchman::look(int rank, const Ward& ward) {
  proto::Json seen = {{"sample", proto::encode_sample(sample_of(rank, ward))}, {"looked", true}};
  if (!evidence_) return send_(rank, std::move(seen));
  constexpr auto for_answers = std::chrono::milliseconds(700);
  ProgramWitness::ask(context_, *evidence_, rank, main_process(ward.pid, ward.processes), Clock::now() + for_answers,
                      [this, rank, seen = std::move(seen)](Answers answers) mutable {
                        if (wards_.at(rank).ended) return;  // its last words have gone out
                        put(seen, std::move(answers));
                        send_(rank, std::move(seen));
                      });
}

void Watchman::gather(int rank, Ward& ward, Clock::time_point until) {
  constexpr auto fresh = std::chrono::seconds(2);  // all ranks are gathered from at once
  if (evidence_ && Clock::now() + fresh >= next_look_up_) look_up_processes();
  // Before a tool looks at the process, which stops it for a moment.
  proto::RankSample sample = sample_of(rank, ward);
  const pid_t pid = sample.pid;
  sample.process.threads = thread_facts(pid);
  // Of a program the other threads may wait for whatever they are meant to.
  if (evidence_) std::erase_if(sample.process.threads, [pid](const auto& thread) { return thread.id != pid; });
  // The driver tells of a fault before the first call of a rank fails.
  constexpr std::int64_t before_start = 10'000'000;
  proto::Json evidence = {{"evidence", proto::encode_sample(sample)},
                          {"xids", xids_since(ward.started - before_start)}};
  // The kernel holds it, and would hold the tool with it.
  if (const int held = held_thread(sample.process); held != 0) {
    evidence["stack"] = kernel_stack(pid, held);
    send_(rank, std::move(evidence));
    return;
  }
  const bool stopped = sample.process.state == 'T';
  // A stopped process does not answer; the others do within milliseconds.
  constexpr auto for_record = std::chrono::seconds(1);
  const bool asked = !evidence_ && !stopped && ward.page.ask_record();
  const auto record_until = asked ? Clock::now() + for_record : Clock::time_point::min();
  const auto go_on = [this, rank, pid, stopped, record_until, until](proto::Json so_far) {
    if (evidence_ && !stopped) return add_answers(rank, std::move(so_far), pid, until);
    if (evidence_) return add_stack(rank, pid, std::move(so_far), until);
    add_record(rank, std::move(so_far), record_until, until);
  };
  const auto service = ras_endpoint(pid);
  if (!service) return go_on(std::move(evidence));
  // Before the process that serves it is stopped for its stack.
  ask_ras(context_, *service, Clock::now() + (until - Clock::now()) / 2,
          [go_on, evidence = std::move(evidence)](std::string text) mutable {
            evidence["ras"] = std::move(text);
            go_on(std::move(evidence));
          });
}

// Before the process is stopped for its stack.
void Watchman::add_answers(int rank, proto::Json evidence, pid_t pid, Clock::time_point until) {
  constexpr auto for_answers = std::chrono::milliseconds(2500);
  ProgramWitness::ask(context_, *evidence_, rank, pid, std::min(until, Clock::now() + for_answers),
                      [this, rank, pid, until, evidence = std::move(evidence)](Answers answers) mutable {
                        put(evidence, std::move(answers));
                        add_stack(rank, pid, std::move(evidence), until);
                      });
}

// What there is of it by then.
void Watchman::add_record(int rank, proto::Json evidence, Clock::time_point record_until, Clock::time_point until) {
  const Ward& ward = wards_.at(rank);
  const auto record = record_until > Clock::time_point::min() ? ward.page.record() : std::nullopt;
  if (record || Clock::now() >= record_until) {
    evidence["record"] = record.value_or("");
    add_stack(rank, ward.pid, std::move(evidence), until);
    return;
  }
  constexpr auto pause = std::chrono::milliseconds(20);
  const auto timer = std::make_shared<boost::asio::steady_timer>(context_, pause);
  timer->async_wait([this, timer, rank, evidence = std::move(evidence), record_until,
                     until](const boost::system::error_code& error) mutable {
    if (!error) add_record(rank, std::move(evidence), record_until, until);
  });
}

void Watchman::add_stack(int rank, pid_t pid, proto::Json evidence, Clock::time_point until) {
  stacks_.collect(pid, until, [this, rank, evidence = std::move(evidence)](std::string stack) mutable {
    evidence["stack"] = std::move(stack);
    send_(rank, std::move(evidence));
  });
}

}  // namespace tradewind::launcher
