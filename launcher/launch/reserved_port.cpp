#include "launcher/launch/reserved_port.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "common/errors.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

bool bind_all(const Descriptor& socket, int family, int port) {
  const int on = 1, off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(static_cast<std::uint16_t>(port));
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
  }
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<std::uint16_t>(port));
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
}

}  // namespace

Descriptor reserve_port(int port) {
  for (const int family : {AF_INET6, AF_INET}) {
    Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.valid() && bind_all(socket, family, port)) return socket;
    if (errno == EADDRINUSE)
      throw EnvironmentFault("the port is taken on this host, where the ranks are to meet",
                             "MASTER_PORT " + std::to_string(port),
                             "unset MASTER_PORT: a free port is found then; or choose another");
  }
  const int code = errno;
  throw EnvironmentFault(std::string("cannot keep a port for the ranks to meet: ") + std::strerror(code), {},
                         remedy_for(code, "see that this host's network is up"));
}

}  // namespace tradewind::launcher
