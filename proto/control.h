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

inline constexpr int control_version = 2;
// Longest line of a connection before both ends have shown that they know the token.
inline constexpr std::size_t max_greeting_bytes = 1024;

// ---- before anything else: both ends show that they know the job's token, without telling it -----------------------
struct Challenge {  // from the controller
  int version = control_version;
  std::string nonce;
};
struct Prove {  // from the agent
  std::string nonce, proof;
};
struct Proven {  // from the controller
  std::string proof;
};

// ---- agent to controller ------------------------------------------------------------------------------------------
struct Join {
  int version = control_version;
  std::string host;
  int pid = 0;  // of the agent
  int world_size = 1;
  std::vector<int> ranks;
  // Of the agent of rank 0: the address by which others know its host. Empty: the controller finds one.
  std::string master_address;
  int master_port = 0;  // of the agent of rank 0: kept free on its host for a program of ranks; 0: none
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
struct Ask {  // of the store, for a rank; not get or wait
  StoreRequest request;
};
struct Want {  // the values of these keys of the store, each as soon as it is there
  std::vector<std::string> keys;
};
struct Got {};   // `values` has come: further ones may follow
struct Forgot {  // that key is asked for anew from now on
  std::string key;
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
  std::string master_address;      // empty when world_size is 1
  int master_port = 0;             // at which the ranks of a program may meet; 0: none is kept for them
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
struct Answer {
  StoreAnswer answer;
};
struct Values {
  std::vector<StoreValue> values;
};
struct Forget {  // the value of that key changes
  std::string key;
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

using ControlMessage =
    std::variant<Challenge, Prove, Proven, Join, Said, Wrote, Garbled, Ended, NotStarted, Signalled, Ask, Want, Got,
                 Forgot, Welcome, Refused, Launch, Act, Answer, Values, Forget, Leave, Alive, Watch>;

// The line to send, newline included.
std::string encode_control(const ControlMessage& message);
// A line without its newline. Unknown fields are ignored; unknown types, missing fields and wrong types are errors.
ControlMessage decode_control(std::string_view line);

}  // namespace tradewind::proto
