#include "launcher/watch/nccl_ras.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>
#include <system_error>
#include <utility>

#include "common/file_text.h"

namespace tradewind::launcher {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_text = std::size_t{64} << 10, most_findings = 12, widest = 200;
constexpr int usual_port = 28028;

template <typename Number>
std::optional<Number> number_of(std::string_view text, int base) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Words of 32 bits, each printed as a number of this host.
std::optional<asio::ip::address> address_of(std::string_view digits) {
  constexpr std::size_t word = 8;
  std::array<std::uint32_t, 4> words{};
  if (digits.size() != word && digits.size() != words.size() * word) return std::nullopt;
  for (std::size_t i = 0; i * word < digits.size(); ++i) {
    const auto value = number_of<std::uint32_t>(digits.substr(i * word, word), 16);
    if (!value) return std::nullopt;
    words[i] = *value;
  }
  if (digits.size() == word) return asio::ip::address_v4(ntohl(words[0]));
  asio::ip::address_v6::bytes_type bytes{};
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return asio::ip::address_v6(bytes);
}

asio::ip::address reachable(const asio::ip::address& address) {
  if (!address.is_unspecified()) return address;
  if (address.is_v4()) return asio::ip::address_v4::loopback();
  return asio::ip::address_v6::loopback();
}

bool holds(pid_t pid, const std::string& inode) {
  const std::string socket = "socket:[" + inode + "]";
  std::error_code error;
  for (fs::directory_iterator file("/proc/" + std::to_string(pid) + "/fd", error), end; !error && file != end;
       file.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(file->path(), gone) == socket) return true;
  }
  return false;
}

// One conversation; lives until its last callback.
class Asking : public std::enable_shared_from_this<Asking> {
 public:
  Asking(asio::io_context& context, std::function<void(std::string)> done)
      : socket_(context), cap_(context), done_(std::move(done)) {}

  void start(const tcp::endpoint& endpoint, Clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(until - Clock::now()).count();
    // How long it is to wait for NCCL's other processes.
    request_ = "TIMEOUT " + std::to_string(std::max<long>(1, left - 1)) + "\n";
    cap_.expires_at(until);
    cap_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->end({});
    });
    socket_.async_connect(endpoint, [self = shared_from_this()](const error_code& error) {
      if (error) return self->end({});
      self->say("CLIENT PROTOCOL 2\n", "SERVER PROTOCOL ",
                [self] { self->say(self->request_, "OK", [self] { self->read_status(); }); });
    });
  }

 private:
  // Writes a line; goes on when the answer is a line that begins so.
  void say(std::string line, std::string answer, std::function<void()> next) {
    sent_ = std::move(line);
    asio::async_write(socket_, asio::buffer(sent_),
                      [self = shared_from_this(), answer = std::move(answer), next = std::move(next)](
                          const error_code& error, std::size_t) mutable {
                        if (error) return self->end({});
                        self->expect(std::move(answer), std::move(next));
                      });
  }
  void expect(std::string answer, std::function<void()> next) {
    asio::async_read_until(socket_, asio::dynamic_buffer(text_, most_text), '\n',
                           [self = shared_from_this(), answer = std::move(answer), next = std::move(next)](
                               const error_code& error, std::size_t length) {
                             if (error || !self->text_.starts_with(answer)) return self->end({});
                             self->text_.erase(0, length);
                             next();
                           });
  }
  void read_status() {
    sent_ = "STATUS\n";
    asio::async_write(socket_, asio::buffer(sent_), [self = shared_from_this()](const error_code& error, std::size_t) {
      if (error) return self->end({});
      asio::async_read(self->socket_, asio::dynamic_buffer(self->text_, most_text),
                       [self](const error_code& closed, std::size_t) {
                         const bool whole = closed == asio::error::eof || self->text_.size() >= most_text;
                         self->end(whole ? std::move(self->text_) : std::string());
                       });
    });
  }
  void end(std::string text) {
    if (!done_) return;
    cap_.cancel();
    error_code ignored;
    socket_.close(ignored);
    std::exchange(done_, nullptr)(std::move(text));
  }

  tcp::socket socket_;
  asio::steady_timer cap_;
  std::function<void(std::string)> done_;
  std::string request_, sent_, text_;
};

bool is_rule(const std::string& line) { return line.size() > 2 && line.find_first_not_of('=') == std::string::npos; }

}  // namespace

std::vector<Listener> listeners_of(std::string_view table) {
  constexpr const char* listening = "0A";
  std::vector<Listener> found;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    const std::size_t colon = local.find(':');
    if (!fields || state != listening || colon == std::string::npos) continue;
    const auto address = address_of(std::string_view(local).substr(0, colon));
    const auto port = number_of<std::uint16_t>(std::string_view(local).substr(colon + 1), 16);
    if (address && port) found.push_back({tcp::endpoint(reachable(*address), *port), inode});
  }
  return found;
}

int ras_port_of(std::string_view environ) {
  int port = usual_port;
  while (!environ.empty()) {
    const std::size_t end = std::min(environ.find('\0'), environ.size());
    const std::string_view variable = environ.substr(0, end);
    environ.remove_prefix(std::min(end + 1, environ.size()));
    constexpr std::string_view address = "NCCL_RAS_ADDR=";
    if (variable == "NCCL_RAS_ENABLE=0") return 0;
    if (variable.starts_with(address) && variable.rfind(':') != std::string_view::npos)
      port = number_of<std::uint16_t>(variable.substr(variable.rfind(':') + 1), 10).value_or(0);
  }
  return port;
}

std::optional<tcp::endpoint> ras_endpoint(pid_t pid) {
  const fs::path process = "/proc/" + std::to_string(pid);
  const int port = ras_port_of(file_text(process / "environ"));
  for (const char* table : {"net/tcp", "net/tcp6"})
    for (const Listener& listener : listeners_of(file_text(process / table)))
      if (port != 0 && listener.endpoint.port() == port && holds(pid, listener.inode)) return listener.endpoint;
  return std::nullopt;
}

void ask_ras(asio::io_context& context, const tcp::endpoint& endpoint, Clock::time_point until,
             std::function<void(std::string)> done) {
  std::make_shared<Asking>(context, std::move(done))->start(endpoint, until);
}

std::vector<std::string> ras_findings(std::string_view text) {
  std::vector<std::string> found;
  std::istringstream lines{std::string(text)};
  bool telling = false;
  std::string line, before;
  const auto tell = [&](const std::string& one) {
    const std::size_t begin = one.find_first_not_of(" \t");
    if (telling && begin != std::string::npos && found.size() < most_findings)
      found.push_back(one.substr(begin, widest));
  };
  while (std::getline(lines, line)) {
    if (is_rule(line)) {  // under a heading
      telling = before.starts_with("Errors") || before.starts_with("Warnings");
      before.clear();
      continue;
    }
    tell(before);
    before = line;
  }
  tell(before);
  return found;
}

}  // namespace tradewind::launcher
