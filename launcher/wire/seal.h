// How two ends of a control connection show each other that they know the job's token without telling it (an HMAC over
// two nonces, one of each end), and how each line after that is sealed, so that nobody on the way can change, repeat,
// drop or add one unnoticed. proto/PROTOCOL.md has the bytes. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/control.h"

namespace tradewind::launcher {

enum class End { agent, controller };

// What makes, with the token, the proofs and keys of a connection.
struct Nonces {
  std::string controller, agent;
  int version = proto::control_version;  // of the controller's protocol, so that its agents can tell when it is another
};

// 256 random bits in hexadecimal. EnvironmentFault when the system gives none.
std::string make_nonce();
bool is_nonce(std::string_view text);

// That `who` knows the token.
std::string proof_of(End who, const std::string& token, const Nonces& nonces);

// Of the lines that one end sends.
class Seal {
 public:
  Seal(End sender, const std::string& token, const Nonces& nonces);

  // The next line with its seal in front.
  std::string seal(std::string_view line);
  // The line within; ProtocolError when it is not the next one that the sender sealed.
  std::string_view open(std::string_view sealed);

  static constexpr std::size_t bytes = 33;  // that it adds to a line

 private:
  std::string code_of(std::string_view line);
  std::string key_;
  std::uint64_t number_ = 0;
};

}  // namespace tradewind::launcher
