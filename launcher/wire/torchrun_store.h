// A client of the store that torchrun serves at the master port: what c10d::TCPStore's server understands (QueryType in
// torch/csrc/distributed/c10d/TCPStoreBackend.hpp; lengths of 64 bits in this machine's order). Whoever reaches that
// port can read and write everything in it, so that nothing from it is trusted: values are bounded, and the caller
// checks them. Blocks for at most two seconds a call. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace tradewind::launcher {

class TorchrunStore {
 public:
  TorchrunStore(std::string host, int port) : host_(std::move(host)), port_(port) {}

  // EnvironmentFault when no store takes it.
  void set(const std::string& key, const std::string& value) const;
  // Nothing when there is no such key yet, or no store that answers: `why` says it.
  std::optional<std::string> get(const std::string& key, std::string& why) const;
  std::string name() const { return "torchrun's store at " + host_ + ":" + std::to_string(port_); }

 private:
  std::string host_;
  int port_;
};

}  // namespace tradewind::launcher
