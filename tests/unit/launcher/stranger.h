// For tests of the control port: the other end of a connection, by hand.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "launcher/process/descriptor.h"
#include "launcher/wire/seal.h"
#include "proto/control.h"

namespace tradewind::launcher {

// To a port of 127.0.0.1. `receive_buffer`: bytes that the system holds for it, unless 0.
inline Descriptor connect_to(int port, int receive_buffer = 0) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket.reset();
  return socket;
}

// Whether all of it could be sent.
inline bool say(const Descriptor& socket, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::send(socket.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

// What the other end says until it closes, or is silent for that long.
inline std::string answer(const Descriptor& socket, std::chrono::milliseconds time, bool& closed) {
  std::string text;
  pollfd ready{socket.get(), POLLIN, 0};
  closed = false;
  while (::poll(&ready, 1, static_cast<int>(time.count())) > 0) {
    std::array<char, 4096> buffer;
    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) {
      closed = true;
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

// The next line without its newline; empty when none comes in that time.
inline std::string next_line(const Descriptor& socket, std::chrono::milliseconds time = std::chrono::seconds(10)) {
  std::string text;
  pollfd ready{socket.get(), POLLIN, 0};
  for (char byte = 0;
       ::poll(&ready, 1, static_cast<int>(time.count())) > 0 && ::recv(socket.get(), &byte, 1, 0) == 1;) {
    if (byte == '\n') return text;
    text += byte;
  }
  return {};
}

// An agent by hand: shows that it knows the token, then speaks with seals.
class Speaker {
 public:
  Speaker(int port, const std::string& token, int receive_buffer = 0) : socket(connect_to(port, receive_buffer)) {
    const auto challenge = std::get<proto::Challenge>(proto::decode_control(next_line(socket)));
    nonces = {.controller = challenge.nonce, .agent = make_nonce()};
    say(socket,
        proto::encode_control(proto::Prove{.nonce = nonces.agent, .proof = proof_of(End::agent, token, nonces)}));
    const auto proven = std::get<proto::Proven>(proto::decode_control(next_line(socket)));
    trusted = proven.proof == proof_of(End::controller, token, nonces);
    outgoing.emplace(End::agent, token, nonces);
    incoming.emplace(End::controller, token, nonces);
  }
  // As it goes over the wire, newline included.
  std::string sealed(const proto::ControlMessage& message) {
    const std::string line = proto::encode_control(message);
    return outgoing->seal({line.data(), line.size() - 1}) + "\n";
  }
  bool tell(const proto::ControlMessage& message) { return say(socket, sealed(message)); }
  proto::ControlMessage hear() {
    const std::string line = next_line(socket);
    return proto::decode_control(incoming->open(line));
  }

  Descriptor socket;
  Nonces nonces;
  bool trusted = false;
  std::optional<Seal> outgoing, incoming;
};

// Of this process.
inline std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace tradewind::launcher
