#include "launcher/agent/worker_process.h"

#include <sys/wait.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <csignal>

namespace tradewind::launcher {

namespace asio = boost::asio;
using boost::system::error_code;

WorkerProcess::WorkerProcess(asio::io_context& context, int rank, std::unique_ptr<Speech> speech, Spawned spawned,
                             Sink sink)
    : sink_(std::move(sink)),
      rank_(rank),
      pid_(spawned.pid),
      speech_(std::move(speech)),
      process_(context, spawned.process.release()),
      drain_(context),
      output_lines_([this](const std::string& line) { pass_on(proto::Stream::output, line); }),
      error_lines_([this](const std::string& line) { pass_on(proto::Stream::error, line); }),
      channel_(
          context, std::move(spawned.channel), [this](std::string_view bytes) { read_messages(bytes); },
          [this] { stream_ended(); }),
      output_(
          context, std::move(spawned.output), [this](std::string_view bytes) { output_lines_.feed(bytes); },
          [this] { stream_ended(); }),
      error_(
          context, std::move(spawned.error), [this](std::string_view bytes) { error_lines_.feed(bytes); },
          [this] { stream_ended(); }) {
  speech_->connect({.said =
                        [this](proto::Message message) {
                          sink_(proto::Said{rank_, std::move(message)});
                        },
                    .written = [this](const std::string& line) { send(line); },
                    .signalled = [this](int number) { signal(number); }});
}

WorkerProcess::~WorkerProcess() {
  if (reaped_) return;
  signal_session(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

void WorkerProcess::watch() {
  channel_.start();
  output_.start();
  error_.start();
  process_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    if (!error) ended();
  });
  speech_->began(pid_);
}

void WorkerProcess::pass_on(proto::Stream stream, const std::string& line) {
  speech_->wrote(stream, line);
  sink_(proto::Wrote{rank_, stream, line});
}

void WorkerProcess::send(const std::string& line) {
  outbox_ += line;
  if (writing_.empty()) write_next();
}

void WorkerProcess::write_next() {
  writing_ = std::exchange(outbox_, {});
  if (writing_.empty()) return;
  asio::async_write(channel_.stream(), asio::buffer(writing_), [this](const error_code& error, std::size_t) {
    writing_.clear();
    if (!error) write_next();  // a worker that no longer reads is about to exit, which says more
  });
}

void WorkerProcess::read_messages(std::string_view bytes) {
  if (garbled_) return;
  try {
    speech_->heard(bytes);
  } catch (const proto::ProtocolError& error) {
    garbled_ = true;
    sink_(proto::Garbled{rank_, error.what()});
  }
}

void WorkerProcess::ended() {
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

void WorkerProcess::stream_ended() {
  if (!ended_ || reaped_ || channel_.open() || output_.open() || error_.open()) return;
  const auto exit = reap(pid_);
  if (!exit) return;
  reaped_ = true;
  drain_.cancel();
  output_lines_.end();
  error_lines_.end();
  speech_->left(*exit);
  sink_(proto::Ended{rank_, exit->code, exit->signal, exit->peak_rss_bytes});
}

void WorkerProcess::abandon() { reaped_ = true; }

}  // namespace tradewind::launcher
