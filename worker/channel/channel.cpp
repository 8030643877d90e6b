#include "worker/channel/channel.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <utility>

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

// The next bytes; nothing when there are none by then. Does not touch what the mutex guards.
std::optional<std::string> Channel::receive(Clock::time_point until) const {
  std::array<char, std::size_t{64} << 10> buffer;
  while (true) {
    const ssize_t n = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) return std::string(buffer.data(), static_cast<std::size_t>(n));
    if (n == 0) launcher_lost("is gone");
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) launcher_lost(std::string("cannot be heard: ") + std::strerror(errno));
    const Clock::time_point now = Clock::now();
    if (now >= until) return std::nullopt;
    // An hour at a time: a far deadline has more milliseconds than poll() takes.
    const auto rest = std::min<Clock::duration>(until - now, std::chrono::hours(1));
    pollfd ready{descriptor_, POLLIN, 0};
    ::poll(&ready, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(rest).count()));
  }
}

// Reads for every thread, or waits while another does so. False when nothing has come by `until`.
bool Channel::read_once(Lock& lock, Clock::time_point until) {
  if (!lost_.empty()) launcher_lost(lost_);
  if (reading_) {
    const auto soon = Clock::now() + std::chrono::hours(1);  // the end of time is too far for the system's calls
    return changed_.wait_until(lock, std::min(until, soon)) == std::cv_status::no_timeout;
  }
  reading_ = true;
  const auto done = [&](const std::string& lost) {
    if (!lock.owns_lock()) lock.lock();
    reading_ = false;
    lost_ = lost;
    changed_.notify_all();
  };
  try {
    lock.unlock();
    const auto bytes = receive(until);
    lock.lock();
    if (bytes) lines_.feed(*bytes);
    while (const auto line = lines_.next()) take(proto::decode(*line));
    done({});
    return bytes.has_value();
  } catch (const proto::ProtocolError& error) {
    done(std::string("breaks the protocol: ") + error.what());
    launcher_lost(lost_);
  } catch (const EnvironmentFault& error) {
    done("is gone");
    throw;
  }
}

void Channel::take(proto::Message message) {
  if (std::holds_alternative<proto::Stop>(message)) {
    stop_requested_ = true;
  } else if (auto* start = std::get_if<proto::Start>(&message)) {
    start_ = std::move(*start);
  } else if (auto* part = std::get_if<proto::StoreAnswer>(&message)) {
    const auto found = awaited_.find(part->id);
    if (found == awaited_.end()) return;  // it was given up
    auto values = std::move(found->second.answer.values);
    std::move(part->values.begin(), part->values.end(), std::back_inserter(values));
    found->second.whole = !part->more;
    found->second.answer = std::move(*part);
    found->second.answer.values = std::move(values);
  } else {
    throw proto::ProtocolError("not a message for a worker");
  }
}

proto::Start Channel::receive_start() {
  Lock lock(mutex_);
  while (!start_) read_once(lock, Clock::time_point::max());
  return *std::exchange(start_, std::nullopt);
}

bool Channel::stop_requested() {
  Lock lock(mutex_);
  while (!stop_requested_ && !reading_ && read_once(lock, Clock::time_point::min())) {
  }
  return stop_requested_;
}

std::optional<proto::StoreAnswer> Channel::ask(proto::StoreRequest request, std::chrono::milliseconds time) {
  const Clock::time_point now = Clock::now();
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::time_point::max() - now);
  const Clock::time_point until = time < longest ? now + time : Clock::time_point::max();
  Lock lock(mutex_);
  const std::int64_t id = request.id = ++asked_;
  awaited_[id];
  lock.unlock();
  try {
    send(request);
    lock.lock();
    while (!awaited_.at(id).whole)
      if (!read_once(lock, until) && Clock::now() >= until) break;
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    awaited_.erase(id);
    throw;
  }
  Awaited awaited = std::move(awaited_.at(id));
  awaited_.erase(id);
  if (!awaited.whole) return std::nullopt;
  return std::move(awaited.answer);
}

void end_with_parent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

}  // namespace tradewind::channel
