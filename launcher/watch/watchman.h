// The hang watch at an agent: keeps the telemetry pages of its workers, takes a sample of each every interval and sends
// it on, and gathers evidence when told to. Decides nothing. Not thread-safe; lives on the agent's context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/watch/memory_kills.h"
#include "launcher/watch/page.h"
#include "launcher/watch/stacks.h"
#include "proto/rank_sample.h"

namespace tradewind::launcher {

inline constexpr double sample_interval_seconds = 1;

class Watchman {
 public:
  using Send = std::function<void(int rank, proto::Json body)>;
  Watchman(boost::asio::io_context& context, std::string host, Send send);

  // The page that this rank's worker is to inherit: its descriptor here.
  int page_of(int rank);
  // The same page, to be written here on behalf of a program that knows nothing of it.
  proto::TelemetryPage& shared_page(int rank) { return wards_[rank].page.page(); }
  void started(int rank, pid_t pid);
  // From now on the ranks that start are programs; `evidence`: where they answer (program_witness.h).
  void expect_programs(std::string evidence) { evidence_ = std::move(evidence); }
  // After this one more sample is sent. What the kernel says when memory was the reason.
  std::optional<MemoryKill> ended(int rank);
  // A body from the controller.
  void obey(int rank, const proto::Json& body);

 private:
  struct Ward {
    Page page;
    pid_t pid = 0;                 // leader of its session
    std::vector<pid_t> processes;  // of a program, as they were last looked up
    bool ended = false;
    std::int64_t started = 0;  // microseconds since the host started
    std::optional<MemoryKills> memory;
  };
  void arm();
  void send_samples();
  void look(int rank, const Ward& ward);
  void gather(int rank, Ward& ward, std::chrono::steady_clock::time_point until);
  void add_record(int rank, proto::Json evidence, std::chrono::steady_clock::time_point record_until,
                  std::chrono::steady_clock::time_point until);
  void look_up_processes();
  void add_answers(int rank, proto::Json evidence, pid_t pid, std::chrono::steady_clock::time_point until);
  void add_stack(int rank, pid_t pid, proto::Json evidence, std::chrono::steady_clock::time_point until);
  proto::RankSample sample_of(int rank, const Ward& ward) const;

  boost::asio::io_context& context_;
  std::string host_;
  Send send_;
  boost::asio::steady_timer timer_;
  Stacks stacks_;
  std::map<int, Ward> wards_;
  std::optional<std::string> evidence_;  // of programs
  std::chrono::steady_clock::time_point next_look_up_{};
};

}  // namespace tradewind::launcher
