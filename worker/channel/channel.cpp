#include "worker/channel/channel.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/errors.h"

namespace tradewind::channel {
namespace {

[[noreturn]] void launcher_lost(const std::string& how) {
  throw EnvironmentFault("the launcher " + how, "channel", "look at the launcher's own output for the cause");
}

}  // namespace

Channel::Channel(int descriptor) : descriptor_(descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
    throw UserError("descriptor " + std::to_string(descriptor) + " is no channel to a launcher", "tradewind-worker",
                    "tradewind-worker is started by `tradewind`; run `tradewind run CONFIG` instead");
}

Channel::~Channel() { ::close(descriptor_); }

void Channel::send(const proto::Message& message) {
  const std::string line = proto::encode(message);
  const std::scoped_lock lock(sending_);
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::send(descriptor_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n >= 0)
      sent += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      launcher_lost(std::string("no longer reads: ") + std::strerror(errno));
  }
}

bool Channel::read_some(bool wait) {
  std::array<char, std::size_t{64} << 10> buffer;
  while (true) {
    const ssize_t n = ::recv(descriptor_, buffer.data(), buffer.size(), wait ? 0 : MSG_DONTWAIT);
    if (n > 0) {
      lines_.feed({buffer.data(), static_cast<std::size_t>(n)});
      return true;
    }
    if (n == 0) launcher_lost("is gone");
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    if (errno != EINTR) launcher_lost(std::string("cannot be heard: ") + std::strerror(errno));
  }
}

proto::Start Channel::receive_start() {
  try {
    while (true) {
      if (const auto line = lines_.next()) {
        auto message = proto::decode(*line);
        if (auto* start = std::get_if<proto::Start>(&message)) return std::move(*start);
        if (!std::holds_alternative<proto::Stop>(message)) throw proto::ProtocolError("not a message for a worker");
        stop_requested_ = true;
      } else {
        read_some(true);
      }
    }
  } catch (const proto::ProtocolError& error) {
    launcher_lost(std::string("breaks the protocol: ") + error.what());
  }
}

bool Channel::stop_requested() {
  try {
    while (!stop_requested_ && read_some(false))
      while (const auto line = lines_.next())
        if (std::holds_alternative<proto::Stop>(proto::decode(*line))) stop_requested_ = true;
  } catch (const proto::ProtocolError& error) {
    launcher_lost(std::string("breaks the protocol: ") + error.what());
  }
  return stop_requested_;
}

void end_with_parent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

}  // namespace tradewind::channel
