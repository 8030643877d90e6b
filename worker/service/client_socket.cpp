#include "worker/service/client_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/errors.h"

namespace tradewind::service {
namespace {

constexpr int version = 1;
constexpr std::size_t longest_line = std::size_t{64} << 10;
constexpr std::chrono::seconds time_to_greet{5};

[[noreturn]] void fault(const std::string& what, const std::string& path, int error) {
  throw EnvironmentFault(what + ": " + std::strerror(error), path, "give a folder of your own on this host");
}

Json error_of(const std::string& what, const std::string& remedy) {
  return {{"type", "error"}, {"what", what}, {"remedy", remedy}};
}

// How long it takes says nothing about where they differ.
bool same(const std::string& a, const std::string& b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

bool of_this_user(int client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

// False when the other side has gone.
bool send_line(int client, const Json& line, int descriptor) {
  std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  iovec piece{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  while (piece.iov_len > 0) {
    const ssize_t sent = ::sendmsg(client, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    piece.iov_base = static_cast<char*>(piece.iov_base) + sent;
    piece.iov_len -= static_cast<std::size_t>(sent);
    message.msg_control = nullptr;
    message.msg_controllen = 0;
  }
  return true;
}

}  // namespace

ClientSocket::ClientSocket(std::string path, std::string token, Json welcome)
    : path_(std::move(path)), token_(std::move(token)), welcome_(std::move(welcome)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) fault("the socket's name is too long", path_, ENAMETOOLONG);
  std::memcpy(&address.sun_path[0], path_.data(), path_.size());
  listener_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const mode_t before = ::umask(0177);
  const bool bound =
      listener_.valid() && ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::umask(before);
  if (!bound) fault("cannot listen", path_, error);
  if (::listen(listener_.get(), 8) != 0) fault("cannot listen", path_, errno);
}

ClientSocket::~ClientSocket() { ::unlink(path_.c_str()); }

std::optional<Json> ClientSocket::next(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!left_) {
    if (auto line = take_line()) return line;
    const auto now = std::chrono::steady_clock::now();
    if (client_.valid() && !greeted_ && now - came_ > time_to_greet) client_.reset();
    if (now >= until) return std::nullopt;
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(until - now).count() + 1;
    std::array<pollfd, 2> wait{{{listener_.get(), POLLIN, 0}, {client_.get(), POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), static_cast<int>(rest)) <= 0) continue;
    if (wait[1].revents != 0 && !read()) leave();
    if (wait[0].revents != 0) receive_client();
  }
  return std::nullopt;
}

void ClientSocket::receive_client() {
  Descriptor one(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!one.valid() || !of_this_user(one.get())) return;
  if (client_.valid()) {
    send_line(one.get(), error_of("another client is here", "end it, or start a service of your own"), -1);
    return;
  }
  // One that does not read its answers is not waited for long.
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(one.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  client_ = std::move(one);
  came_ = std::chrono::steady_clock::now();
  greeted_ = false;
  text_.clear();
}

bool ClientSocket::read() {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::recv(client_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  text_.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0 && text_.size() <= longest_line;
}

void ClientSocket::leave() {
  client_.reset();
  text_.clear();
  left_ = std::exchange(greeted_, false);  // one that was never let in leaves nothing behind
}

std::optional<Json> ClientSocket::take_line() {
  for (std::size_t end = 0; client_.valid() && (end = text_.find('\n')) != std::string::npos;) {
    Json line = Json::parse(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    text_.erase(0, end + 1);
    if (greeted_ && line.is_object()) return line;
    if (greeted_) {
      refuse("this is no JSON object", "see proto/PROTOCOL.md");
    } else if (!line.is_object() || !greet(line)) {
      client_.reset();
    }
  }
  return std::nullopt;
}

bool ClientSocket::greet(const Json& hello) {
  const auto text = [&](const char* name) {
    const auto at = hello.find(name);
    return at != hello.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  if (text("type") != "hello" || !same(text("token"), token_)) return false;
  const auto said = hello.find("version");
  if (said == hello.end() || *said != version) {
    send_line(client_.get(), error_of("the service speaks another version", "use the client of this Tradewind"), -1);
    return false;
  }
  greeted_ = true;
  reply(welcome_);
  return connected();
}

void ClientSocket::reply(const Json& answer, int descriptor) {
  if (client_.valid() && !send_line(client_.get(), answer, descriptor)) leave();
}

void ClientSocket::refuse(const std::string& what, const std::string& remedy) { reply(error_of(what, remedy)); }

}  // namespace tradewind::service
