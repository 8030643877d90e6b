// For tests of the control port: a run whose worker goes on until the test lets it go.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "launcher/control/control_run.h"
#include "launcher/launch/meeting_place.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/launcher/marked.h"

namespace tradewind::launcher {

class WaitingRun {
 public:
  // Members of the run: `world_size` ranks, of which this launcher has `seats`.
  WaitingRun(
      int world_size, Seats seats, const std::string& token, Server::Now now = [] { return Clock::now(); })
      : run_(ControlPlan{.launch = {.command = "compare",
                                    .environment = {{"FAKE_WORKER", "waits_for_file"},
                                                    {"FAKE_WORKER_FILE", folder_ / "go"},
                                                    {mark.name(), mark.value()}},
                                    .world_size = world_size},
                         .host = {.name = "here", .worker = TRADEWIND_FAKE_WORKER},
                         .seats = std::move(seats),
                         .reach = Reach{.token = token,
                                        .listener = listen_on("127.0.0.1", 0),
                                        .address = "127.0.0.1",
                                        .now = std::move(now)}},
             seen) {}

  int port() const { return run_.port(); }
  void let_go() const { folder_.write("go", "go"); }  // from any thread
  Outcome outcome() {
    Outcome outcome = run_.run();
    run_.dismiss();
    return outcome;
  }

  Mark mark;
  Seen seen;

 private:
  test::TemporaryFolder folder_;
  ControlRun run_;
};

}  // namespace tradewind::launcher
