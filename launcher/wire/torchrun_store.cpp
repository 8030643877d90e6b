#include "launcher/wire/torchrun_store.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include "common/errors.h"
#include "common/files/descriptor.h"

namespace tradewind::launcher {
namespace {

enum class Query : std::uint8_t { validate = 0, set = 1, get = 3, check = 5 };
constexpr std::uint32_t magic = 0x3C85F7CE;  // every conversation begins with it
constexpr std::uint8_t ready = 0;
constexpr std::uint64_t longest_value = 64 * 1024;
constexpr timeval patience{.tv_sec = 2, .tv_usec = 0};

class Words {
 public:
  Words& operator<<(Query query) { return add(&query, sizeof query); }
  Words& operator<<(std::uint32_t number) { return add(&number, sizeof number); }
  Words& operator<<(std::uint64_t number) { return add(&number, sizeof number); }
  Words& operator<<(const std::string& text) {
    return (*this << std::uint64_t{text.size()}).add(text.data(), text.size());
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Words& add(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    return *this;
  }
  std::string bytes_;
};

// Empty, or what went wrong.
std::string connect_to(const std::string& host, int port, Descriptor& socket) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    return ::gai_strerror(error);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  int error = ECONNREFUSED;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    socket = Descriptor(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) continue;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // for connect() too
    if (::connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0) return {};
    error = errno;
  }
  return error == EINPROGRESS || error == EAGAIN ? "does not answer" : std::strerror(error);
}

bool send_all(const Descriptor& socket, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = ::send(socket.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

bool receive(const Descriptor& socket, void* into, std::size_t size) {
  auto* bytes = static_cast<char*>(into);
  for (std::size_t got = 0; got < size;) {
    const ssize_t count = ::recv(socket.get(), bytes + got, size - got, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    got += static_cast<std::size_t>(count);
  }
  return true;
}

Words begin() {
  Words words;
  words << Query::validate << magic;
  return words;
}

}  // namespace

void TorchrunStore::set(const std::string& key, const std::string& value) const {
  Descriptor socket;
  std::string wrong = connect_to(host_, port_, socket);
  // A question after it, so that the answer says that the value is there.
  Words words = begin();
  words << Query::set << key << value << Query::check << std::uint64_t{1} << key;
  std::uint8_t answer = 1;
  if (wrong.empty() && !(send_all(socket, words.bytes()) && receive(socket, &answer, 1) && answer == ready))
    wrong = "it does not answer as a store does";
  if (!wrong.empty())
    throw EnvironmentFault("the ranks cannot meet there: " + wrong, name(),
                           "see whether torchrun runs on that host, or give a run folder that all hosts share");
}

std::optional<std::string> TorchrunStore::get(const std::string& key, std::string& why) const {
  Descriptor socket;
  why = connect_to(host_, port_, socket);
  if (!why.empty()) return std::nullopt;
  why = "it does not answer as a store does";
  Words question = begin();
  question << Query::check << std::uint64_t{1} << key;
  std::uint8_t answer = 1;
  if (!send_all(socket, question.bytes()) || !receive(socket, &answer, 1)) return std::nullopt;
  if (answer != ready) {
    why = "it holds nothing of this run yet";
    return std::nullopt;
  }
  Words request;
  request << Query::get << key;
  std::uint64_t size = 0;
  if (!send_all(socket, request.bytes()) || !receive(socket, &size, sizeof size) || size > longest_value)
    return std::nullopt;
  std::string value(size, '\0');
  if (!receive(socket, value.data(), value.size())) return std::nullopt;
  why.clear();
  return value;
}

}  // namespace tradewind::launcher
