#include "worker/channel/channel.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "common/errors.h"

using namespace tradewind;
using namespace std::chrono_literals;
using channel::Channel;
using Work = proto::StoreRequest::Work;

namespace {

// The launcher's end.
class Launcher {
 public:
  Launcher() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) == 0);
    worker = ends_[1];
  }
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  ~Launcher() { hang_up(); }
  void hang_up() {
    if (ends_[0] >= 0) ::close(std::exchange(ends_[0], -1));
  }
  void say(const std::string& text) const {
    CHECK(::send(ends_[0], text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  void say(const proto::StoreAnswer& answer) const { say(proto::encode(answer)); }
  proto::StoreRequest next() {
    while (true) {
      if (const auto line = lines_.next()) return std::get<proto::StoreRequest>(proto::decode(*line));
      std::array<char, 4096> buffer;
      const ssize_t count = ::recv(ends_[0], buffer.data(), buffer.size(), 0);
      REQUIRE(count > 0);
      lines_.feed({buffer.data(), static_cast<std::size_t>(count)});
    }
  }
  // Whether a further request is there.
  bool waits() const {
    pollfd ready{ends_[0], POLLIN, 0};
    return ::poll(&ready, 1, 1) > 0;
  }
  int worker = -1;

 private:
  std::array<int, 2> ends_{};
  proto::LineReader lines_;
};

}  // namespace

TEST_CASE("many threads ask, and each gets its own answer, in whatever order they come") {
  Launcher launcher;
  Channel channel(launcher.worker);
  constexpr int threads = 8, each = 50;
  std::atomic<int> right{0};
  std::vector<std::thread> askers;
  for (int thread = 0; thread < threads; ++thread)
    askers.emplace_back([&, thread] {
      for (int i = 0; i < each; ++i) {
        const std::string key = std::to_string(thread) + "/" + std::to_string(i);
        const auto answer = channel.ask({.work = Work::get, .keys = {key}}, 60s);
        if (answer && answer->values == std::vector<std::string>{"of ", key}) ++right;
      }
    });
  std::vector<proto::StoreRequest> asked;
  for (int done = 0; done < threads * each;) {
    do asked.push_back(launcher.next());
    while (launcher.waits());
    for (; !asked.empty(); asked.pop_back(), ++done) {
      launcher.say(proto::StoreAnswer{.id = asked.back().id, .values = {"of "}, .more = true});
      launcher.say(proto::StoreAnswer{.id = asked.back().id, .values = {asked.back().keys.front()}});
    }
  }
  for (std::thread& asker : askers) asker.join();
  CHECK(right == threads * each);
}

TEST_CASE("no answer in time is none, and one that comes later is passed over") {
  Launcher launcher;
  Channel channel(launcher.worker);
  CHECK_FALSE(channel.ask({.work = Work::wait, .keys = {"k"}}, 20ms));
  const auto late = launcher.next();
  launcher.say(proto::StoreAnswer{.id = late.id, .number = 1});
  std::thread answers([&] { launcher.say(proto::StoreAnswer{.id = launcher.next().id, .number = 2}); });
  const auto answer = channel.ask({.work = Work::count}, std::chrono::milliseconds::max());
  answers.join();
  REQUIRE(answer);
  CHECK(answer->number == 2);
}

TEST_CASE("the wish to stop is heard, whoever reads it") {
  Launcher launcher;
  Channel channel(launcher.worker);
  CHECK_FALSE(channel.stop_requested());
  std::thread asker([&] { CHECK(channel.ask({.work = Work::count}, 60s)); });
  const auto request = launcher.next();
  launcher.say(proto::encode(proto::Stop{}));
  while (!channel.stop_requested()) std::this_thread::yield();
  launcher.say(proto::StoreAnswer{.id = request.id});
  asker.join();
  CHECK(channel.stop_requested());
}

TEST_CASE("a launcher that goes, or breaks the protocol, ends every thread's wait") {
  for (const bool garbage : {false, true}) {
    Launcher launcher;
    Channel channel(launcher.worker);
    std::atomic<int> told{0};
    std::vector<std::thread> askers;
    for (int i = 0; i < 4; ++i)
      askers.emplace_back([&] {
        try {
          channel.ask({.work = Work::count}, 60s);
        } catch (const EnvironmentFault& error) {
          if (error.message().starts_with(garbage ? "the launcher breaks the protocol" : "the launcher is gone"))
            ++told;
        }
      });
    for (int i = 0; i < 4; ++i) launcher.next();
    if (garbage)
      launcher.say("nonsense\n");
    else
      launcher.hang_up();
    for (std::thread& asker : askers) asker.join();
    CHECK(told == 4);
    CHECK_THROWS_AS(channel.stop_requested(), EnvironmentFault);
  }
}
