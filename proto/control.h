// What agents (the parents of the workers) and the controller (which decides) say to each other; PROTOCOL.md is the
// contract. Plain values and their JSON codec. Thread-safe: pure functions. Errors: ProtocolError naming the message
// and the field.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/messages.h"

namespace tradewind::proto {

inline constexpr int control_version = 1;
// Longest first line of a connection: who does not know the token costs no more.
inline constexpr std::size_t max_join_bytes = 16384;

// ---- agent to controller ------------------------------------------------------------------------------------------
struct Join {
  int version = control_version;
  std::string token;  // of the job; empty within one process
  std::string host;
  int pid = 0;  // of the agent
  int world_size = 1;
  std::vector<int> ranks;
  // Of the agent of rank 0: where the ranks meet. Empty: the controller finds an address of that host; 0: none is
  // needed.
  std::string master_address;
  int master_port = 0;
};
struct Said {
  int rank = 0;
  Message message;  // of the worker
};
enum class Stream { output, error };
struct Wrote {
  int rank = 0;
  Stream stream = Stream::output;
  std::string line;
};
struct Garbled {  // the worker broke the protocol
  int rank = 0;
  std::string how;
};
struct Ended {
  int rank = 0;
  int code = 0, signal = 0;  // signal 0: it exited by itself
  std::int64_t peak_rss_bytes = 0;
  std::string out_of_memory;  // that the kernel ended it for memory, with limit and peak; empty: it did not
};
struct NotStarted {  // no worker of this agent runs
  std::string what, where, remedy;
  int exit_code = 1;
};
struct Signalled {
  int number = 0;
};

// ---- controller to agent ------------------------------------------------------------------------------------------
struct Welcome {
  int version = control_version;
};
struct Refused {
  std::string what, where, remedy;
  int exit_code = 1;
};
// All agents have come: start your workers.
struct Launch {
  std::string command;
  Json arguments;
  std::map<std::string, std::string> environment;  // on top of the agent's own
  int world_size = 1;
  std::string master_address;  // empty when world_size is 1
  int master_port = 0;
  bool store_served = false;       // a store of somebody else serves there
  std::vector<std::string> hosts;  // of each rank
  std::string run_folder;          // absolute; empty: none
  bool restarts = false;           // workers keep in the run folder what a further attempt needs
  bool resume = false;             // this is such an attempt
};
struct Act {
  enum class Kind { send_start, send_stop, terminate, kill, abandon } kind = Kind::send_start;
  int rank = 0;
  bool operator==(const Act&) const = default;
};
// The run is over and its report written: leave with this code.
struct Leave {
  int exit_code = 0;
};

// ---- both ways ----------------------------------------------------------------------------------------------------
struct Alive {};
struct Watch {  // of the hang watch, which knows what is in it
  int rank = 0;
  Json body;
};

using ControlMessage = std::variant<Join, Said, Wrote, Garbled, Ended, NotStarted, Signalled, Welcome, Refused, Launch,
                                    Act, Leave, Alive, Watch>;

// The line to send, newline included.
std::string encode_control(const ControlMessage& message);
// A line without its newline. Unknown fields are ignored; unknown types, missing fields and wrong types are errors.
ControlMessage decode_control(std::string_view line);

}  // namespace tradewind::proto
