#include "worker/serve.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/load.h"
#include "common/env.h"
#include "worker/channel/channel_reporter.h"
#include "worker/compare/compare.h"
#include "worker/device/link.h"
#include "worker/dist/process_group.h"
#include "worker/runner/commands.h"

namespace tradewind::worker {
namespace {

using channel::Channel;
using channel::ChannelReporter;

constexpr int stopped_exit_code = 128 + 15;

dist::Rendezvous rendezvous_of(const proto::Start& start) {
  dist::Rendezvous rendezvous;
  rendezvous.rank = start.rank;
  rendezvous.world_size = start.world_size;
  rendezvous.master_address = start.master_address;
  rendezvous.master_port = static_cast<std::uint16_t>(start.master_port);
  if (start.listen_descriptor >= 0) rendezvous.listening_descriptor = start.listen_descriptor;
  const Environment environment = Environment::from_process(environ);
  rendezvous.interfaces = environment.get_or("GLOO_SOCKET_IFNAME", "");
  rendezvous.store_served = environment.get_or("TORCHELASTIC_USE_AGENT_STORE", "") == "True";
  rendezvous.attempt = environment.get_or("TORCHELASTIC_RESTART_COUNT", "0");
  return rendezvous;
}

std::optional<config::Precision> precision_of(const proto::Json& arguments) {
  const std::string name = arguments.value("precision", "f32");
  return name == "bf16" ? config::Precision::bf16 : name == "f16" ? config::Precision::f16 : config::Precision::f32;
}

// Opens the rank's device and says which it is.
device::Device open_device(const std::optional<std::string>& wanted, const proto::Start& start, Channel& launcher,
                           ChannelReporter& reporter) {
  std::vector<std::string> warnings;
  device::Device device =
      device::open_device(wanted, start.local_rank, [&](const std::string& text) { warnings.push_back(text); });
  launcher.send(proto::Ready{device.name()});
  for (const std::string& text : warnings) reporter.warning(text);
  return device;
}

void run(const proto::Start& start, Channel& launcher, ChannelReporter& reporter) {
  const auto config = config::parse_run_config(config::document_from_json(start.arguments));
  const device::Device device = open_device(config.device, start, launcher, reporter);
  const auto communicator = dist::make_process_group(rendezvous_of(start), device::link_of(device));
  runner::run_forecast(config, device, *communicator, reporter);
}

void predict(const proto::Start& start, Channel& launcher, ChannelReporter& reporter) {
  std::optional<std::string> wanted;
  if (start.arguments.contains("device")) wanted = start.arguments.at("device");
  const device::Device device = open_device(wanted, start, launcher, reporter);
  const auto communicator = dist::make_process_group(rendezvous_of(start), device::link_of(device));
  runner::run_predict({.checkpoint = start.arguments.at("checkpoint"),
                       .input = start.arguments.at("input"),
                       .output = start.arguments.at("output"),
                       .precision = precision_of(start.arguments)},
                      device, *communicator, reporter);
}

int compare(const proto::Start& start, Channel& launcher) {
  launcher.send(proto::Ready{"cpu"});
  return compare::run_compare(compare::parse_compare_options(start.arguments), std::cout);
}

// The exit code of a command that is whole.
int dispatch(const proto::Start& start, Channel& launcher, ChannelReporter& reporter) {
  at::set_num_threads(start.threads);
  if (start.command == "run")
    run(start, launcher, reporter);
  else if (start.command == "predict")
    predict(start, launcher, reporter);
  else if (start.command == "compare")
    return compare(start, launcher);
  else
    throw InternalFault("unknown command `" + start.command + "`", "message `start`");
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

int talk(Channel& launcher) {
  launcher.send(proto::Hello{.pid = ::getpid()});
  const proto::Start start = launcher.receive_start();
  ChannelReporter reporter(launcher);
  const proto::Message result =
      result_of([&]() -> proto::Message { return reporter.result(dispatch(start, launcher, reporter)); });
  // The output's last bytes go before the word that it is whole.
  std::cout << std::flush;
  launcher.send(result);
  const auto* failure = std::get_if<proto::Failure>(&result);
  return failure != nullptr ? failure->exit_code : std::get<proto::Finished>(result).exit_code;
}

}  // namespace

int serve(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  channel::end_with_parent();
  channel::give_back_large_blocks();
  try {
    if (argc != 3 || std::string_view(argv[1]) != "--channel")
      throw UserError("this is one rank's process, not a command", "tradewind-worker",
                      "run `tradewind run CONFIG`, which starts it");
    Channel launcher(std::atoi(argv[2]));
    return talk(launcher);
  } catch (const Error& error) {
    std::cerr << "error: " << error.what() << std::endl;
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << std::endl;
    return static_cast<int>(ExitCode::failure);
  }
}

}  // namespace tradewind::worker
