#include <sys/prctl.h>
#include <unistd.h>

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <new>
#include <system_error>

#include "common/clock.h"
#include "common/errors.h"
#include "common/streams.h"
#include "launcher/commands/commands.h"
#include "launcher/process/loading.h"
#include "launcher/process/session_guard.h"
#include "launcher/process/system_errors.h"
#include "launcher/progress/console.h"
#include "launcher/report/report.h"

namespace {

using namespace tradewind;

int dispatch(const launcher::Command& command, const Environment& environment, TimePoint started) {
  struct Visitor {
    const Environment& environment;
    TimePoint started;
    int operator()(const launcher::AgentCommand&) const { return launcher::agent(environment); }
    int operator()(const launcher::RunCommand& c) const { return launcher::run(c, environment, started); }
    int operator()(const launcher::ExecCommand& c) const { return launcher::exec(c, environment, started); }
    int operator()(const launcher::InspectCommand& c) const { return launcher::inspect(c, environment); }
    int operator()(const launcher::PredictCommand& c) const { return launcher::predict(c, environment, started); }
    int operator()(const launcher::ServeCommand& c) const { return launcher::serve(c, environment, started); }
    int operator()(const launcher::RetrieveCommand& c) const { return launcher::retrieve(c, environment); }
    int operator()(const launcher::ClusterCommand& c) const { return launcher::cluster(c, environment); }
    int operator()(const launcher::StatusCommand& c) const { return launcher::status(c); }
    int operator()(const launcher::DiagnoseCommand& c) const { return launcher::diagnose(c); }
    int operator()(const launcher::DrillCommand& c) const { return launcher::drill(c, environment, started); }
    int operator()(const launcher::CompareCommand& c) const { return launcher::compare(c, environment, started); }
    int operator()(const launcher::ShowText& c) const {
      std::cout << c.text << std::flush;
      return 0;
    }
  };
  return std::visit(Visitor{environment, started}, command);
}

// What a command prints with std::cout, which is part of its result.
class StandardOutput {
 public:
  StandardOutput() : before_(std::cout.rdbuf(&buffer_)) {}
  ~StandardOutput() { std::cout.rdbuf(before_); }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  // The code to leave with, given the command's own. A reader that has seen enough (`| head`) is told nothing, as by
  // other programs.
  int finish(int code) {
    std::cout << std::flush;
    if (buffer_.error() == 0) return code;
    if (buffer_.error() == EPIPE) return static_cast<int>(ExitCode::signal_base) + SIGPIPE;
    launcher::print_error(std::cerr, write_fault("standard output", "", buffer_.error()));
    return code == 0 ? static_cast<int>(ExitCode::failure) : code;
  }

 private:
  StreamBuffer buffer_{STDOUT_FILENO};
  std::streambuf* before_;
};

// Whether what goes wrong is told to programs, too.
bool wants_json(const launcher::Command& command) {
  if (const auto* run = std::get_if<launcher::RunCommand>(&command)) return run->json;
  if (const auto* exec = std::get_if<launcher::ExecCommand>(&command)) return exec->json;
  if (const auto* cluster = std::get_if<launcher::ClusterCommand>(&command)) return cluster->json;
  if (const auto* diagnose = std::get_if<launcher::DiagnoseCommand>(&command)) return diagnose->json;
  if (const auto* inspect = std::get_if<launcher::InspectCommand>(&command)) return inspect->json;
  return false;
}

void print_json(const Error& error) {
  const launcher::Json json = {
      {"status", "failed"}, {"exit_code", static_cast<int>(error.exit_code())}, {"errors", launcher::errors_of(error)}};
  std::cout << json.dump(2, ' ', false, launcher::Json::error_handler_t::replace) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const auto started = Clock::now();
  if (argc == 3 && argv[1] == launcher::version_option) return launcher::print_libtorch_version(argv[2]);
  if (argc == 2 && argv[1] == std::string(launcher::guard_option)) return launcher::guard_sessions();
  occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is no reason to leave workers behind
  std::signal(SIGXFSZ, SIG_IGN);  // nor is a limit on the size of files
  // Asks a run how it gets on: before it listens, and after it has ended, that is no reason to die.
  for (const int number : {SIGUSR1, SIGUSR2})
    if (std::signal(number, [](int) {}) == SIG_IGN) std::signal(number, SIG_IGN);
  const Environment environment = Environment::from_process(environ);
  // Whoever has called this from a program of theirs does not leave a run behind.
  if (environment.has("TRADEWIND_WITH_PARENT")) ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  StandardOutput output;
  bool json = false;
  try {
    const launcher::Command command = launcher::parse_command_line({argv + 1, argv + argc});
    json = wants_json(command);
    return output.finish(dispatch(command, environment, started));
  } catch (const Error& error) {
    if (json) print_json(error);
    launcher::print_error(std::cerr, error);
    return static_cast<int>(error.exit_code());
  } catch (const std::bad_alloc&) {
    launcher::print_error(std::cerr, "out of memory", "tradewind", launcher::remedy_for(ENOMEM));
    return static_cast<int>(ExitCode::failure);
  } catch (const boost::system::system_error& error) {
    launcher::print_error(std::cerr, error.what(), "tradewind", launcher::remedy_for(error.code().value()));
    return static_cast<int>(ExitCode::failure);
  } catch (const std::system_error& error) {
    launcher::print_error(std::cerr, error.what(), "tradewind", launcher::remedy_for(error.code().value()));
    return static_cast<int>(ExitCode::failure);
  } catch (const std::exception& error) {
    launcher::print_error(std::cerr, error.what(), "tradewind", "please report this with the command line");
    return static_cast<int>(ExitCode::failure);
  }
}
