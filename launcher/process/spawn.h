// Starts a worker: leader of its own session, default signals but for those that are meant for the launcher, and only
// the descriptors of proto/PROTOCOL.md.
// Call from the main thread: the worker's parent-death signal belongs to the thread that forked.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "launcher/process/descriptor.h"

namespace tradewind::launcher {

inline constexpr int channel_descriptor_of_child = 3;
inline constexpr int telemetry_descriptor_of_worker = 4;
inline constexpr int first_stream_of_worker = 5;
inline constexpr std::size_t most_streams_of_worker = 8;

inline constexpr const char* worker_role = "worker";

struct Spawn {
  std::string executable;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // all of it
  std::vector<int> cpus = {};                      // to run on; empty: as this process
  int telemetry = -1;                              // the telemetry page, when there is one: becomes descriptor 4
  // Ignores proto::signals_to_launcher from its first instruction on, long before it could ask for that itself.
  bool ignores_signals_to_launcher = false;
  // That it gets when this process ends. A worker asks for SIGKILL itself once it runs.
  int death_signal = SIGTERM;
  std::string role = worker_role;  // for errors
  std::vector<int> streams = {};   // become 5, 6, ...; most_streams_of_worker at most
};

// The launcher's ends, all close-on-exec. The process is a zombie after its end until the owner waits for it.
struct Spawned {
  pid_t pid = -1;
  Descriptor process;  // readable when it has ended
  Descriptor channel, output, error;
};

// EnvironmentFault naming the executable and the cause: no such file, no right to run it, a file that is no program, or
// a limit that is reached (memory, processes, open files).
Spawned spawn(boost::asio::io_context& context, const Spawn& what);

}  // namespace tradewind::launcher
