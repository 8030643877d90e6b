// The one client of a service: a process of this user on this host that knows the token. Lines of JSON, as
// proto/PROTOCOL.md has them. Whoever else comes is told why not, and sent away. Not thread-safe.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/files/descriptor.h"

namespace tradewind::service {

using Json = nlohmann::ordered_json;

class ClientSocket {
 public:
  // Listens at `path`, which nothing may be at; `welcome` is the answer to a client's first word. EnvironmentFault
  // naming the path.
  ClientSocket(std::string path, std::string token, Json welcome);
  ~ClientSocket();  // removes `path`
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  // The client's next request; nothing after `time` without one.
  std::optional<Json> next(std::chrono::milliseconds time);
  // Whether the client has come and gone.
  bool left() const { return left_; }
  bool connected() const { return client_.valid() && greeted_; }
  // With a descriptor for the client where one is given. A client that does not take it has left.
  void reply(const Json& answer, int descriptor = -1);
  // An answer that says what is wrong with a request; the client may go on.
  void refuse(const std::string& what, const std::string& remedy);

 private:
  void receive_client();
  bool read();  // false: the client has gone
  void leave();
  std::optional<Json> take_line();
  bool greet(const Json& hello);

  std::string path_, token_;
  Json welcome_;
  Descriptor listener_, client_;
  std::string text_;
  std::chrono::steady_clock::time_point came_;
  bool greeted_ = false, left_ = false;
};

}  // namespace tradewind::service
