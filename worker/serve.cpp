#include "worker/serve.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "common/config/load.h"
#include "common/env.h"
#include "common/streams.h"
#include "worker/channel/channel_reporter.h"
#include "worker/compare/compare.h"
#include "worker/device/cuda_library.h"
#include "worker/device/link.h"
#include "worker/device/marks.h"
#include "worker/dist/flight_record.h"
#include "worker/dist/launcher_store.h"
#include "worker/dist/process_group.h"
#include "worker/libtorch_check.h"
#include "worker/netcdf/library.h"
#include "worker/runner/commands.h"
#include "worker/runner/precision.h"
#include "worker/service/service.h"
#include "worker/telemetry/fatal_signals.h"
#include "worker/telemetry/watched_communicator.h"
#include "worker/telemetry/watched_reporter.h"

namespace tradewind::worker {
namespace {

using channel::Channel;
using channel::ChannelReporter;

constexpr int stopped_exit_code = 128 + 15;

dist::Rendezvous rendezvous_of(const proto::Start& start, const Environment& environment) {
  dist::Rendezvous rendezvous;
  rendezvous.rank = start.rank;
  rendezvous.world_size = start.world_size;
  rendezvous.master_address = start.master_address;
  rendezvous.interfaces = environment.get_or("GLOO_SOCKET_IFNAME", "");
  return rendezvous;
}

// So that what was kept for one config is not taken up by another.
std::string identity_of(const proto::Json& config) {
  const std::string text = config.dump();
  return std::to_string(text.size()) + "-" +
         std::to_string(::crc32_z(::crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

// What a command works with, whichever it is.
struct Session {
  const proto::Start& start;
  const Environment& environment;
  Channel& launcher;
  report::Reporter& reporter;
  telemetry::Recorder& recorder;
  const Around& around;
};

// Opens the rank's device and says which it is.
device::Device open_device(const std::optional<std::string>& wanted, const Session& session) {
  std::vector<std::string> warnings;
  device::Device device =
      device::open_device(wanted, session.start.local_rank, [&](const std::string& text) { warnings.push_back(text); });
  session.launcher.send(proto::Ready{device.name()});
  session.recorder.follow_device(
      device::marks_of(device, session.recorder.page(), [&](const std::string& text) { warnings.push_back(text); }));
  for (const std::string& text : warnings) session.reporter.warning(text);
  return device;
}

// Of the libraries beneath the communicator, Gloo and NCCL.
std::string flight_record_of(const device::Device& device) {
  std::string text = dist::gloo_record();
  const char* json = nullptr;
  if (device.cuda == nullptr) return text;
  device::check_cuda(device.cuda->flight_record(&json), "flight recorder");
  return text + dist::record_lines(json);
}

std::unique_ptr<dist::Communicator> communicator_of(const Session& session, const device::Device& device) {
  const auto store =
      dist::launcher_store([&launcher = session.launcher](proto::StoreRequest request, std::chrono::milliseconds time) {
        return launcher.ask(std::move(request), time);
      });
  auto watched = telemetry::watch_calls(
      dist::make_process_group(rendezvous_of(session.start, session.environment), store, device::link_of(device)),
      session.recorder);
  if (session.start.world_size > 1) session.recorder.tell_record([device] { return flight_record_of(device); });
  return session.around ? session.around(std::move(watched)) : std::move(watched);
}

void run(const Session& session) {
  const auto config = config::parse_run_config(config::document_from_json(session.start.arguments));
  const device::Device device = open_device(config.device, session);
  const auto communicator = communicator_of(session, device);
  runner::run_forecast(config, runner::settings_from(session.environment), device, *communicator, session.reporter,
                       {.folder = session.start.restart_folder,
                        .resume = session.start.resume,
                        .run_id = session.environment.get_or("TRADEWIND_RUN_ID", ""),
                        .config = identity_of(session.start.arguments)},
                       session.start.streams);
}

void predict(const Session& session) {
  const proto::Json& arguments = session.start.arguments;
  std::optional<std::string> wanted;
  if (arguments.contains("device")) wanted = arguments.at("device");
  const device::Device device = open_device(wanted, session);
  const auto communicator = communicator_of(session, device);
  runner::run_predict({.checkpoint = arguments.at("checkpoint"),
                       .input = arguments.at("input"),
                       .output = arguments.at("output"),
                       .precision = runner::precision_named(arguments.value("precision", "f32"))},
                      device, *communicator, session.reporter);
}

void serve_model(const Session& session) {
  const proto::Json& arguments = session.start.arguments;
  std::optional<std::string> wanted;
  if (arguments.contains("device")) wanted = arguments.at("device");
  const device::Device device = open_device(wanted, session);
  const auto communicator = communicator_of(session, device);
  service::run_service({.checkpoint = arguments.at("checkpoint"),
                        .precision = runner::precision_named(arguments.value("precision", "f32")),
                        .socket = arguments.at("socket"),
                        .token = arguments.at("token"),
                        .idle = std::chrono::seconds(arguments.at("idle").get<int>())},
                       device, *communicator, session.reporter);
}

int compare(const Session& session) {
  session.launcher.send(proto::Ready{"cpu"});
  const auto given = session.start.streams.find(standard_output);
  StreamBuffer buffer(given == session.start.streams.end() ? STDOUT_FILENO : given->second);
  std::ostream out(&buffer);
  const int code = compare::run_compare(compare::parse_compare_options(session.start.arguments), out);
  out << std::flush;
  if (buffer.error() != 0) throw write_fault("standard output", "", buffer.error());
  return code;
}

// The exit code of a command that is whole.
int dispatch(const Session& session) {
  const std::string& command = session.start.command;
  at::set_num_threads(session.start.threads);
  if (command == "run")
    run(session);
  else if (command == "predict")
    predict(session);
  else if (command == "serve")
    serve_model(session);
  else if (command == "compare")
    return compare(session);
  else
    throw InternalFault("unknown command `" + command + "`", "message `start`");
  return 0;
}

proto::Failure failure_of(const Error& error, proto::FailureKind kind) {
  return {.kind = kind,
          .what = error.message(),
          .where = error.where(),
          .remedy = error.remedy(),
          .exit_code = static_cast<int>(error.exit_code())};
}

// Runs what `work` does and turns whatever it throws into the one message that ends the run.
template <typename Work>
proto::Message result_of(Work&& work) {
  constexpr const char* report_it = "please report this with the command line and the checkpoint's name";
  try {
    return work();
  } catch (const channel::Stopped& stopped) {
    return proto::Failure{.kind = proto::FailureKind::stopped, .what = stopped.what(), .exit_code = stopped_exit_code};
  } catch (const dist::ConnectionFault& error) {
    return failure_of(error, proto::FailureKind::connection);
  } catch (const UserError& error) {
    return failure_of(error, proto::FailureKind::user);
  } catch (const InternalFault& error) {
    return failure_of(error, proto::FailureKind::internal);
  } catch (const Error& error) {
    return failure_of(error, proto::FailureKind::environment);
  } catch (const c10::OutOfMemoryError& error) {
    return proto::Failure{.kind = proto::FailureKind::environment,
                          .what = error.what_without_backtrace(),
                          .remedy = "use more ranks, or a machine with more memory"};
  } catch (const c10::Error& error) {
    return proto::Failure{
        .kind = proto::FailureKind::internal, .what = error.what_without_backtrace(), .remedy = report_it};
  } catch (const std::bad_alloc&) {
    return proto::Failure{.kind = proto::FailureKind::environment,
                          .what = "out of memory",
                          .remedy = "use more ranks, or a machine with more memory"};
  } catch (const std::exception& error) {
    return proto::Failure{.kind = proto::FailureKind::internal, .what = error.what(), .remedy = report_it};
  }
}

int talk(Channel& launcher, const Environment& environment, const Around& around) {
  launcher.send(proto::Hello{.pid = ::getpid()});
  const proto::Start start = launcher.receive_start();
  ChannelReporter to_launcher(launcher);
  const proto::Message result = result_of([&]() -> proto::Message {
    check_libtorch();
    netcdf::use_netcdf(environment.get_or("TRADEWIND_NETCDF", ""));
    telemetry::Recorder recorder(start.telemetry_descriptor);
    telemetry::WatchedReporter reporter(to_launcher, recorder);
    return to_launcher.result(dispatch({start, environment, launcher, reporter, recorder, around}));
  });
  // The output's last bytes go before the word that it is whole.
  std::cout << std::flush;
  launcher.send(result);
  const auto* failure = std::get_if<proto::Failure>(&result);
  return failure != nullptr ? failure->exit_code : std::get<proto::Finished>(result).exit_code;
}

}  // namespace

int serve(int argc, char** argv, const Environment& environment, const Around& around) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  // A reader that has left and a limit on the size of files are errors of a write, which say more than a signal.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  channel::end_with_parent();
  channel::give_back_large_blocks();
  telemetry::let_parent_trace();
  telemetry::ignore_signals_to_launcher();
  telemetry::speak_at_fatal_signals();
  try {
    if (argc != 3 || std::string_view(argv[1]) != "--channel")
      throw UserError("this is one rank's process, not a command", "tradewind-worker",
                      "run `tradewind run CONFIG`, which starts it");
    Channel launcher(std::atoi(argv[2]));
    return talk(launcher, environment, around);
  } catch (const Error& error) {
    std::cerr << "error: " << error.what() << std::endl;
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << std::endl;
    return static_cast<int>(ExitCode::failure);
  }
}

}  // namespace tradewind::worker
