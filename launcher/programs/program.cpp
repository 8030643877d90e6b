#include "launcher/programs/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/errors.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

constexpr const char* usual_folders = "/usr/local/bin:/usr/bin:/bin";

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

[[noreturn]] void cannot_run(const std::string& path, int error) {
  const bool lacks = error == ENOENT || error == ENOTDIR;
  throw UserError(std::string("the program cannot be started: ") + std::strerror(error), path,
                  lacks ? "correct its name, or the PATH of every host" : remedy_for(error, "make it executable"));
}

int on_this_host(const proto::Launch& launch, int rank, int local_size) {
  if (local_size > 0) return local_size;
  const auto index = static_cast<std::size_t>(rank);
  if (index >= launch.hosts.size()) return 1;
  return static_cast<int>(std::count(launch.hosts.begin(), launch.hosts.end(), launch.hosts[index]));
}

}  // namespace

proto::Json to_json(const Program& program) {
  return {{"program", program.words},
          {"python", program.python},
          {"own_cpus", program.own_cpus},
          {"own_gpu", program.own_gpu}};
}

Program program_of(const proto::Json& arguments) {
  try {
    Program program{.words = arguments.at("program").get<std::vector<std::string>>(),
                    .python = arguments.at("python").get<bool>(),
                    .own_cpus = arguments.at("own_cpus").get<bool>(),
                    .own_gpu = arguments.at("own_gpu").get<bool>()};
    if (program.words.empty()) throw proto::ProtocolError("message `launch`: no program");
    return program;
  } catch (const nlohmann::json::exception& error) {
    throw proto::ProtocolError(std::string("message `launch`: ") + error.what());
  }
}

std::string find_program(const std::string& name, const std::string& folders) {
  if (name.empty()) throw UserError("the program's name is empty", "exec", "name one after `--`");
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) != 0) cannot_run(name, errno);
    if (!is_file(name)) cannot_run(name, EACCES);
    return name;
  }
  std::string forbidden;
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string folder = end == begin ? "." : folders.substr(begin, end - begin);
    const std::string path = folder + "/" + name;
    if (is_file(path)) {
      if (::access(path.c_str(), X_OK) == 0) return path;
      if (forbidden.empty()) forbidden = path;
    }
    begin = end + 1;
  }
  if (!forbidden.empty()) cannot_run(forbidden, EACCES);
  throw UserError("there is no program " + name + " on PATH", folders,
                  "give its path, or load its module or environment first");
}

std::string gpu_of(int local_rank, const std::optional<std::string>& visible) {
  if (!visible) return std::to_string(local_rank);
  if (visible->find(',') == std::string::npos) return *visible;  // Slurm has dealt them out
  std::size_t begin = 0;
  for (int i = 0; i < local_rank && begin != std::string::npos; ++i) {
    begin = visible->find(',', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos || begin >= visible->size())
    throw UserError("there is no GPU for local rank " + std::to_string(local_rank), "CUDA_VISIBLE_DEVICES=" + *visible,
                    "start at most one rank per GPU, or leave --own-gpu out");
  return visible->substr(begin, visible->find(',', begin) - begin);
}

void turn_into(RankPlan& plan, const Program& program, const proto::Launch& launch, int local_size,
               const Environment& given) {
  auto& variables = plan.spawn.environment;
  // How a program waits is its own matter.
  if (!given.has("OMP_WAIT_POLICY") && !launch.environment.contains("OMP_WAIT_POLICY"))
    variables.erase("OMP_WAIT_POLICY");
  for (const char* own : {"TRADEWIND_CONTROL", "TRADEWIND_TOKEN", "TRADEWIND_WORKER", "TRADEWIND_WORKER_FOLDER",
                          "TRADEWIND_NO_WORKER", "TRADEWIND_LIBRARY_PATH"})
    variables.erase(own);
  const int rank = plan.start.rank, local_rank = plan.start.local_rank;
  variables["RANK"] = std::to_string(rank);
  variables["LOCAL_RANK"] = std::to_string(local_rank);
  variables["WORLD_SIZE"] = std::to_string(launch.world_size);
  variables["LOCAL_WORLD_SIZE"] = std::to_string(on_this_host(launch, rank, local_size));
  // Inside torchrun its agent serves the store, at the place that it has told.
  const std::string served = given.get_or("TORCHELASTIC_USE_AGENT_STORE", "");
  if (served != "True" || !given.has("MASTER_PORT")) {
    variables["MASTER_ADDR"] = launch.master_address.empty() ? "127.0.0.1" : launch.master_address;
    if (launch.master_port == 0 && !given.has("MASTER_PORT"))
      throw EnvironmentFault("no port could be kept for the ranks to meet", {}, "set MASTER_PORT to a free one");
    if (launch.master_port != 0) variables["MASTER_PORT"] = std::to_string(launch.master_port);
  }
  // A program's further threads (autograd's, data loaders, Gloo's) would all share what its ranks' first ones have.
  if (!program.own_cpus) plan.spawn.cpus.clear();
  if (program.own_gpu) variables["CUDA_VISIBLE_DEVICES"] = gpu_of(local_rank, given.get("CUDA_VISIBLE_DEVICES"));
  const auto folders = variables.find("PATH");
  plan.spawn.executable =
      find_program(program.words.front(), folders != variables.end() ? folders->second : usual_folders);
  variables["TRADEWIND_PHASE_FD"] = std::to_string(channel_descriptor_of_child);
  plan.spawn.arguments.assign(program.words.begin() + 1, program.words.end());
  plan.spawn.ignores_signals_to_launcher = false;
  plan.spawn.death_signal = SIGKILL;  // it will not ask for that itself
  plan.spawn.role = "program";
}

}  // namespace tradewind::launcher
