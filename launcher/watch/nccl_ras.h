// What NCCL itself says of a job that stands still: the RAS service that listens in one of NCCL's processes on each
// host (NCCL 2.24 and later, port 28028 unless NCCL_RAS_ADDR says otherwise), asked as `ncclras` asks it. Protocol and
// form of the text: docs.nvidia.com, NCCL user guide, "RAS". Only a socket that a worker of ours holds is asked: the
// port is the same for the jobs of everybody.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::launcher {

struct Listener {
  boost::asio::ip::tcp::endpoint endpoint;
  std::string inode;
};
// The listening ones of a table in the form of /proc/net/tcp or tcp6. Pure.
std::vector<Listener> listeners_of(std::string_view table);

// Port of the service in a process with these variables (the text of /proc/PID/environ). 0: switched off. Pure.
int ras_port_of(std::string_view environ);

// The service that this process serves, if it does. Reads files of /proc.
std::optional<boost::asio::ip::tcp::endpoint> ras_endpoint(pid_t pid);

// Calls `done` once, on the context, with what the service says, at most 64 KiB; empty when it has not said all of it
// by then, or says something else than RAS would.
void ask_ras(boost::asio::io_context& context, const boost::asio::ip::tcp::endpoint& endpoint,
             std::chrono::steady_clock::time_point until, std::function<void(std::string)> done);

// The lines under its headings `Errors` and `Warnings`, at most 12. Pure.
std::vector<std::string> ras_findings(std::string_view text);

}  // namespace tradewind::launcher
