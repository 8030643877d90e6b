#include "launcher/agent/agent.h"

#include <sys/wait.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <functional>
#include <memory>

#include "launcher/process/session.h"
#include "launcher/process/text_lines.h"

namespace tradewind::launcher {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Reads a descriptor to its end, a piece at a time.
class Reader {
 public:
  using Sink = std::function<void(std::string_view)>;
  using End = std::function<void()>;
  Reader(asio::io_context& context, Descriptor descriptor, Sink sink, End end)
      : stream_(context, descriptor.release()), sink_(std::move(sink)), end_(std::move(end)) {}
  void start() {
    stream_.async_read_some(asio::buffer(buffer_), [this](const error_code& error, std::size_t count) {
      if (count > 0) sink_({buffer_.data(), count});
      if (error) {
        open_ = false;
        end_();
      } else {
        start();
      }
    });
  }
  bool open() const { return open_; }
  void cancel() {
    error_code ignored;
    stream_.cancel(ignored);
  }
  asio::posix::stream_descriptor& stream() { return stream_; }

 private:
  asio::posix::stream_descriptor stream_;
  Sink sink_;
  End end_;
  bool open_ = true;
  std::array<char, std::size_t{64} << 10> buffer_{};
};

class Agent;

class Worker {
 public:
  Worker(Agent& agent, int rank, std::string start_line, Spawned spawned);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void watch();
  void send_start() { send(start_line_); }
  void send_stop() { send(proto::encode(proto::Stop{})); }
  void signal(int number) const {
    if (!reaped_) signal_session(pid_, number);
  }
  // Stops waiting for it: whatever still runs is beyond our reach.
  void abandon();

 private:
  void send(const std::string& line);
  void write_next();
  void read_messages(std::string_view bytes);
  void ended();
  void stream_ended();

  Agent& agent_;
  int rank_;
  pid_t pid_;
  std::string start_line_, outbox_, writing_;
  bool ended_ = false, reaped_ = false, garbled_ = false;
  asio::posix::stream_descriptor process_;
  asio::steady_timer drain_;
  proto::LineReader messages_;
  TextLines output_lines_, error_lines_;
  Reader channel_, output_, error_;
};

class Agent {
 public:
  Agent(std::vector<RankPlan> plans, const Limits& limits, Observer& observer)
      : observer_(observer),
        signals_(context_),
        timer_(context_),
        supervisor_(static_cast<int>(plans.size()), limits, Clock::now()) {
    // What the parent had ignored (nohup, a shell's background job) stays ignored.
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction current {};
      ::sigaction(number, nullptr, &current);
      if (current.sa_handler != SIG_IGN) signals_.add(number);
    }
    std::vector<std::string> lines;
    lines.reserve(plans.size());
    for (const RankPlan& plan : plans) lines.push_back(proto::encode(plan.start));
    for (std::size_t i = 0; i < plans.size(); ++i) {
      workers_.push_back(
          std::make_unique<Worker>(*this, static_cast<int>(i), std::move(lines[i]), spawn(context_, plans[i].spawn)));
      plans[i].spawn.listener.reset();
    }
  }

  Outcome run() {
    for (auto& worker : workers_) worker->watch();
    await_signal();
    arm();
    while (!supervisor_.over()) context_.run_one();
    return supervisor_.outcome();
  }

  asio::io_context& context() { return context_; }
  void said(int rank, const proto::Message& message) {
    observer_.message(rank, message);
    act(supervisor_.said(rank, message, Clock::now()));
  }
  void broke_protocol(int rank, const std::string& how) { act(supervisor_.broke_protocol(rank, how, Clock::now())); }
  void wrote(int rank, Stream stream, const std::string& line) {
    if (stream == Stream::error) supervisor_.wrote_error_line(rank, line);
    observer_.line(rank, stream, line);
  }
  void exited(int rank, const Exit& exit) { act(supervisor_.exited(rank, exit, Clock::now())); }

 private:
  void act(const Actions& actions) {
    for (const Action& action : actions) {
      Worker& worker = *workers_[static_cast<std::size_t>(action.rank)];
      switch (action.kind) {
        case Action::Kind::send_start:
          worker.send_start();
          break;
        case Action::Kind::send_stop:
          worker.send_stop();
          break;
        case Action::Kind::terminate:
          worker.signal(SIGTERM);
          worker.signal(SIGCONT);  // a stopped process takes the other only now
          break;
        case Action::Kind::kill:
          worker.signal(SIGKILL);
          break;
        case Action::Kind::abandon:
          worker.abandon();
          break;
      }
    }
    arm();
  }

  void await_signal() {
    signals_.async_wait([this](const error_code& error, int number) {
      if (error) return;
      act(supervisor_.signalled(number, Clock::now()));
      await_signal();
    });
  }

  void arm() {
    const auto deadline = supervisor_.deadline();
    if (deadline == armed_) return;
    armed_ = deadline;
    timer_.cancel();
    if (!deadline) return;
    timer_.expires_at(*deadline);
    timer_.async_wait([this](const error_code& error) {
      if (error) return;
      armed_.reset();
      act(supervisor_.passed(Clock::now()));
    });
  }

  Observer& observer_;
  asio::io_context context_{1};
  asio::signal_set signals_;
  asio::steady_timer timer_;
  std::optional<TimePoint> armed_;
  Supervisor supervisor_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

Worker::Worker(Agent& agent, int rank, std::string start_line, Spawned spawned)
    : agent_(agent),
      rank_(rank),
      pid_(spawned.pid),
      start_line_(std::move(start_line)),
      process_(agent.context(), spawned.process.release()),
      drain_(agent.context()),
      output_lines_([this](const std::string& line) { agent_.wrote(rank_, Stream::output, line); }),
      error_lines_([this](const std::string& line) { agent_.wrote(rank_, Stream::error, line); }),
      channel_(
          agent.context(), std::move(spawned.channel), [this](std::string_view bytes) { read_messages(bytes); },
          [this] { stream_ended(); }),
      output_(
          agent.context(), std::move(spawned.output), [this](std::string_view bytes) { output_lines_.feed(bytes); },
          [this] { stream_ended(); }),
      error_(
          agent.context(), std::move(spawned.error), [this](std::string_view bytes) { error_lines_.feed(bytes); },
          [this] { stream_ended(); }) {}

Worker::~Worker() {
  if (reaped_) return;
  signal_session(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

void Worker::watch() {
  channel_.start();
  output_.start();
  error_.start();
  process_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    if (!error) ended();
  });
}

void Worker::send(const std::string& line) {
  outbox_ += line;
  if (writing_.empty()) write_next();
}

void Worker::write_next() {
  writing_ = std::exchange(outbox_, {});
  if (writing_.empty()) return;
  asio::async_write(channel_.stream(), asio::buffer(writing_), [this](const error_code& error, std::size_t) {
    writing_.clear();
    if (!error) write_next();  // a worker that no longer reads is about to exit, which says more
  });
}

void Worker::read_messages(std::string_view bytes) {
  if (garbled_) return;
  try {
    messages_.feed(bytes);
    while (const auto line = messages_.next()) agent_.said(rank_, proto::decode(*line));
  } catch (const proto::ProtocolError& error) {
    garbled_ = true;
    agent_.broke_protocol(rank_, error.what());
  }
}

void Worker::ended() {
  // While its leader is a zombie the session's id is still its own: end whatever it has left behind, which also closes
  // the other ends of the streams. Somebody who left the session with one of them is not waited for.
  ended_ = true;
  signal_session(pid_, SIGKILL);
  drain_.expires_after(std::chrono::seconds(1));
  drain_.async_wait([this](const error_code& error) {
    if (error) return;
    channel_.cancel();
    output_.cancel();
    error_.cancel();
  });
  stream_ended();
}

void Worker::stream_ended() {
  if (!ended_ || reaped_ || channel_.open() || output_.open() || error_.open()) return;
  const auto exit = reap(process_.native_handle());
  if (!exit) return;
  reaped_ = true;
  drain_.cancel();
  output_lines_.end();
  error_lines_.end();
  agent_.exited(rank_, *exit);
}

void Worker::abandon() { reaped_ = true; }

}  // namespace

Outcome run_ranks(std::vector<RankPlan> plans, const Limits& limits, Observer& observer) {
  return Agent(std::move(plans), limits, observer).run();
}

}  // namespace tradewind::launcher
