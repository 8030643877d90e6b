// Where the controller of a run can be reached, and how agents that share no parent with it learn that: from a file in
// the run folder that only its owner can read, or from the variables TRADEWIND_CONTROL and TRADEWIND_TOKEN.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/env.h"

namespace tradewind::launcher {

struct ControlAddress {
  std::vector<std::string> addresses;  // numeric or names, of one host: the first that answers counts
  int port = 0;
  std::string token;
  bool operator==(const ControlAddress&) const = default;
};

// The value of TRADEWIND_CONTROL with which a user says that torchrun's store is to carry address and token.
constexpr const char* control_by_torchrun = "torchrun";

// Nothing where TRADEWIND_CONTROL is unset or control_by_torchrun. `address:port`, several separated by commas with the
// same port; IPv6 in brackets. UserError naming the variable.
std::optional<ControlAddress> control_of(const Environment& environment);
std::string control_text(const ControlAddress& address);  // as TRADEWIND_CONTROL has it

// As files and stores hold it; nothing for a text that holds something else.
std::string control_json(const ControlAddress& address);
std::optional<ControlAddress> control_from_json(const std::string& text);

// The file of a run in a folder; `key`: its job and step.
std::string control_path(const std::string& folder, const std::string& key);
// Whole or not at all, readable by its owner only, in place of one that another run has left. EnvironmentFault.
void write_control(const std::string& path, const ControlAddress& address);
// Nothing while there is none. One that is not this user's own, or that others can read, is as good as none.
std::optional<ControlAddress> read_control(const std::string& path);
// Why read_control() gave nothing, for errors.
std::string control_lack(const std::string& path);
// Removes the file if it is still that of `address`.
void remove_control(const std::string& path, const ControlAddress& address);

// Addresses of this host's interfaces that are up, loopback last; of the named ones only, when some are named (comma
// separated).
std::vector<std::string> addresses_of_host(const std::string& interfaces = {});

}  // namespace tradewind::launcher
