#include "launcher/commands/workers.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <ostream>

#include "common/errors.h"
#include "common/printable.h"
#include "launcher/agent/member_run.h"
#include "launcher/control/control_run.h"
#include "launcher/launch/cpus.h"
#include "launcher/launch/host_check.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/launch/srun.h"
#include "launcher/process/leaving.h"
#include "launcher/process/system_errors.h"
#include "launcher/process/text_sink.h"
#include "launcher/report/rank_table.h"
#include "launcher/report/report.h"
#include "launcher/report/run_files.h"
#include "launcher/report/straggler.h"
#include "launcher/supervisor/attempts.h"
#include "launcher/wire/token.h"
#include "launcher/wire/torchrun_store.h"

namespace tradewind::launcher {
namespace {

// Where the forecast and what belongs to it can be found.
std::string ending_text(const Outcome& outcome, const std::string& run_folder) {
  constexpr std::size_t most_named = 3;
  std::string text;
  if (!outcome.error && !outcome.ranks.empty()) {
    const Json output = outcome.ranks.front().figures.value("output", Json::object());
    const Json files = output.value("files", Json::array());
    const std::size_t count = std::max(output.value("file_count", std::size_t{0}), files.size());
    for (std::size_t i = 0; i < std::min(files.size(), most_named); ++i)
      text += (i == 0 ? "output: " : ", ") + printable_line(files[i].get<std::string>());
    if (count > most_named) text += " and " + std::to_string(count - most_named) + " more";
    if (!text.empty()) text += "\n";
  }
  if (!run_folder.empty()) text += "run folder: " + run_folder + "\n";
  return text;
}

// Each attempt has a plan of its own: sockets and secrets serve once.
using PlanMaker = std::function<ControlPlan()>;

// What the ranks have printed was lost at the end.
void fail_for_output(Outcome& outcome, Console& console) {
  if (outcome.error) return;
  outcome.status = "failed";
  outcome.error = console.fault();
  outcome.exit_code = outcome.error->exit_code;
}

// Who is tired of waiting for a reader of the output may then end this process by a signal.
void end(std::optional<ControlRun>& run, int code) {
  const SignalsHeld held;
  run.reset();
  if (code != 0) leave_on_signals(code);
}

int control(const PlanMaker& make_plan, const Job& job, const Supervision& supervision) {
  const Screen screen = screen_of_process();
  TextSink output_sink(STDOUT_FILENO), error_sink(STDERR_FILENO);
  SinkBuffer output_buffer(output_sink), error_buffer(error_sink);
  std::ostream output(&output_buffer), error(&error_buffer);
  const bool taken = std::any_of(job.streams.begin(), job.streams.end(),
                                 [](const auto& stream) { return stream.second == STDOUT_FILENO; });
  Console console({.output = taken ? error : output,  // an output's bytes stay alone
                   .error = error,
                   .terminal = screen.terminal,
                   .columns = screen.columns,
                   .output_error = [&output_sink] { return output_sink.error(); }},
                  supervision.verbosity, job.world_size);
  const std::string run_id = make_token();
  for (Attempts attempts(supervision.restarts);;) {
    const TimePoint begin = Clock::now();
    ControlPlan plan = make_plan();
    plan.limits.watch = supervision.watch;
    if (job.command == exec_command) {
      plan.limits.child = "program";
      plan.limits.better_cause = std::chrono::seconds(4);  // Python takes its time to leave
    }
    plan.launch.restarts = supervision.restarts > 0;
    plan.launch.resume = !attempts.first();
    plan.launch.environment["TRADEWIND_RUN_ID"] = run_id;
    RunFiles files(console, plan.launch.run_folder, supervision.started);
    std::optional<ControlRun> run(std::in_place, std::move(plan), files);
    Outcome outcome = run->run();
    if (attempts.again(outcome, seconds_since(begin))) {
      console.starts_again(outcome, attempts.left());
      run->dismiss();
      continue;
    }
    const auto tell = [&] {
      files.ended(outcome.status);
      const double total = seconds_since(supervision.started);
      console.outcome(outcome, total);
      Json report = report_of(outcome, total);
      if (supervision.verbosity == Verbosity::verbose) error << printable(rank_table(outcome)) << std::flush;
      if (const auto slow = straggler_of(outcome)) {
        if (supervision.verbosity != Verbosity::quiet) error << printable(text_of(*slow)) << '\n' << std::flush;
        report["straggler"] = to_json(*slow);
      }
      if (!attempts.first()) report["restarts"] = attempts.to_json();
      if (supervision.verbosity != Verbosity::quiet)
        error << ending_text(outcome, supervision.run_folder) << std::flush;
      write_reports(report, supervision);
    };
    constexpr std::chrono::seconds usual(1);  // a reader may take its time: the ranks' launchers are not to wait for it
    if (output_sink.settle(usual) != 0) fail_for_output(outcome, console);
    tell();
    run->dismiss();
    end(run, outcome.exit_code);
    if (!outcome.error && output_sink.finish() != 0) {
      fail_for_output(outcome, console);
      tell();
    }
    return outcome.exit_code;
  }
}

// A program needs no worker.
Host host_of(const Job& job, const Environment& environment) {
  return job.command == exec_command ? host_by_name() : this_host(environment);
}

ControlPlan plan_of(const Job& job, const Environment& environment, const Supervision& supervision) {
  Host host = host_of(job, environment);  // before the rest: it may throw
  Environment own = environment;
  own.unset("TRADEWIND_TOKEN");
  return {.launch = {.command = job.command,
                     .arguments = job.arguments,
                     .environment = job.environment,
                     .world_size = job.world_size,
                     .run_folder = supervision.run_folder.empty()
                                       ? std::string()
                                       : std::filesystem::absolute(supervision.run_folder).string()},
          .host = std::move(host),
          .environment = std::move(own)};
}

int take_part_at(Host host, const Placement& placement, const Environment& environment, Client::Look look) {
  Seats seats = seat_of_member(placement, environment, false);
  Environment own = environment;  // the secret is not the worker's business
  own.unset("TRADEWIND_TOKEN");
  return run_member({.world_size = placement.world_size,
                     .host = std::move(host),
                     .environment = std::move(own),
                     .seats = std::move(seats),
                     .look = std::move(look)});
}

// A run that cannot gather its ranks may take itself for one of several by variables that something else left behind.
void tell_why_member(const Placement& placement) {
  std::string because;
  for (const Evidence& seen : placement.decided_by)
    because += (because.empty() ? "" : ", ") + seen.name + "=" + seen.value;
  std::cerr << printable("note: this process takes itself for rank " + std::to_string(placement.rank) + " of " +
                         std::to_string(placement.world_size) + " (" + text_of(placement.cluster) + ") because of " +
                         because + "; if nothing has started the others, unset these, or write cluster: {manual: " +
                         std::to_string(placement.world_size) + "}")
            << std::endl;
}

// Where ranks that torchrun has started meet when no folder is shared: the user has to say so, as whoever reaches that
// store's port can read the token there.
struct StoreMeeting {
  TorchrunStore store;
  std::string key;
};

std::optional<StoreMeeting> store_meeting(const Placement& placement, const Environment& environment) {
  if (environment.get_or("TRADEWIND_CONTROL", "") != control_by_torchrun) return std::nullopt;
  if (!placement.store_served)
    throw UserError("torchrun has not started this process, or serves no store", "TRADEWIND_CONTROL",
                    "give address:port of rank 0's launcher, or unset it");
  return StoreMeeting{{placement.master_address, placement.master_port},
                      "/tradewind/" + name_of_run(placement) + "/control"};
}

Client::Look look_in(const StoreMeeting& meeting) {
  auto why = std::make_shared<std::string>();
  return {.find = [meeting, why]() -> std::optional<ControlAddress> {
            const auto text = meeting.store.get(meeting.key, *why);
            return text ? control_from_json(*text) : std::nullopt;
          },
          .lack = [meeting,
                   why] { return meeting.store.name() + ": " + (why->empty() ? "it holds something else" : *why); }};
}

int take_part(const Job& job, const Placement& placement, const Environment& environment,
              const Supervision& supervision) {
  const auto given = control_of(environment);
  const auto meeting = store_meeting(placement, environment);
  const std::string file = control_path(supervision.run_folder, name_of_run(placement));
  if (placement.rank == 0) {
    const auto make_plan = [&] {
      ControlPlan plan = plan_of(job, environment, supervision);
      if (!placement.store_served) plan.launch.master_address = placement.master_address;
      plan.seats = seat_of_member(placement, environment, !given);
      plan.seats->streams = job.streams;
      plan.expected_hosts = placement.hosts;
      const bool one_host = placement.local_size == placement.world_size;
      Descriptor listener = given ? listen_by_name(given->addresses, given->port, one_host, network_of_host())
                                  : std::move(plan.seats->listener);
      // What is wrong with its place must reach the others, who look for it in the file.
      if (!listener.valid()) listener = listen_on(one_host ? "127.0.0.1" : "", 0);
      const std::string address = address_of(listener);
      plan.reach = Reach{.token = given ? given->token : make_token(),
                         .listener = std::move(listener),
                         .address = address,
                         .control_file = given || meeting ? std::string() : file};
      if (meeting)
        plan.reach->tell = [&](const ControlAddress& control) {
          meeting->store.set(meeting->key, control_json(control));
        };
      return plan;
    };
    return control(make_plan, job, supervision);
  }
  if (meeting) return take_part_at(host_of(job, environment), placement, environment, look_in(*meeting));
  if (given)
    return take_part_at(host_of(job, environment), placement, environment,
                        {.find = [&] { return control_of(environment); }});
  return take_part_at(host_of(job, environment), placement, environment,
                      {.find = [file] { return read_control(file); }, .lack = [file] { return control_lack(file); }});
}

// Where srun is, as the shell finds it.
std::string path_of(const std::string& program, const Environment& environment) {
  const std::string folders = environment.get_or("PATH", "/usr/bin:/bin");
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    std::string path = folders.substr(begin, end - begin) + "/" + program;
    if (::access(path.c_str(), X_OK) == 0) return path;
    begin = end + 1;
  }
  throw EnvironmentFault("there is no " + program + " on PATH", folders,
                         "load the scheduler's module, or start the ranks yourself with srun outside the container");
}

// `door`: stays open from one attempt to the next, so that no other job can have its port in between.
ControlPlan wrapping_plan(const Job& job, const Placement& placement, const Environment& environment,
                          const Supervision& supervision, Descriptor& door) {
  ControlPlan plan = plan_of(job, environment, supervision);
  plan.launch.world_size = placement.world_size;
  plan.launch.master_address = placement.master_address;
  plan.expected_hosts = placement.hosts;
  if (!door.valid()) door = listen_for_hosts(placement, network_of_host());
  plan.reach = Reach{.token = make_token(), .listener = Descriptor(::fcntl(door.get(), F_DUPFD_CLOEXEC, 0))};
  plan.reach->address = address_of(plan.reach->listener);
  std::error_code error;
  const std::string self = own_program().string();
  std::vector<std::string> words = srun_command(placement, environment, std::filesystem::current_path(error).string(),
                                                supervision.srun_args, {self, "agent"});
  plan.starter = Spawn{.executable = path_of(words.front(), environment),
                       .arguments = {words.begin() + 1, words.end()},
                       .environment = environment.variables()};
  return plan;
}

void warn_of_crowd(const Placement& placement) {
  const bool member = placement.mode == PlacementMode::member;
  if (placement.mode == PlacementMode::wrap || placement.local_rank != 0) return;
  const int ranks = member ? placement.local_size : placement.world_size;
  const std::vector<int> cpus = usable_cpus();
  if (member && already_shared(static_cast<int>(cpus.size()), ranks, online_cpus())) return;
  const std::string warning = crowd_warning(ranks, cpus.size(), quota_of_process());
  if (!warning.empty()) std::cerr << "warning: " + warning + "\n" << std::flush;
}

}  // namespace

Environment with_interface(Environment environment, const std::string& interface) {
  if (interface.empty()) return environment;
  environment.set("GLOO_SOCKET_IFNAME", interface);
  environment.set("NCCL_SOCKET_IFNAME", "=" + interface);
  return environment;
}

void write_reports(const Json& report, const Supervision& supervision) {
  for (const std::string& path : supervision.reports) {
    const bool in_run_folder =
        !supervision.run_folder.empty() && path.starts_with(supervision.run_folder + "/report.json");
    try {
      write_report(report, path, in_run_folder);
    } catch (const EnvironmentFault& fault) {
      // One piece: the console writes to the same place meanwhile.
      std::cerr << "warning: " + fault.where() + ": " + fault.message() + "\n" << std::flush;
    }
  }
}

int run_workers(const Job& job, const Placement& placement, const Environment& environment,
                const Supervision& supervision) {
  require_descriptors();
  warn_of_crowd(placement);
  if (placement.mode == PlacementMode::member && placement.world_size > 1) {
    try {
      const int code = take_part(job, placement, environment, supervision);
      if (code == static_cast<int>(ExitCode::ranks_missing)) tell_why_member(placement);
      return code;
    } catch (const Error& error) {
      if (error.exit_code() == ExitCode::ranks_missing) tell_why_member(placement);
      throw;
    }
  }
  if (placement.mode == PlacementMode::wrap) {
    Descriptor door;
    return control([&] { return wrapping_plan(job, placement, environment, supervision, door); }, job, supervision);
  }
  Placement here = placement;
  const auto make_plan = [&] {
    ControlPlan plan = plan_of(job, environment, supervision);
    plan.seats = seats_of_host(here, environment);
    plan.seats->streams = job.streams;
    here.master_port = 0;  // looked at once: nobody comes to it, and another attempt is not to end for it
    return plan;
  };
  return control(make_plan, job, supervision);
}

int join_run(const Placement& placement, const Environment& environment) {
  require_descriptors();
  const auto control = control_of(environment);
  if (!control || placement.mode != PlacementMode::member)
    throw UserError("this command is started by `tradewind run`, not by users", "agent",
                    "use `tradewind run CONFIG`, which starts its ranks itself");
  // What the run is for is told later: a worker that is not there is found out then.
  return take_part_at(host_by_name(), placement, environment, {.find = [&] { return control_of(environment); }});
}

int run_workers(const Job& job, const Environment& environment, const Supervision& supervision) {
  return run_workers(job, Placement{.world_size = job.world_size}, environment, supervision);
}

}  // namespace tradewind::launcher
