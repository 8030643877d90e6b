#include "launcher/watch/stacks.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "launcher/watch/process_facts.h"

namespace tradewind::launcher {
namespace {

using boost::system::error_code;

constexpr std::size_t most_text = std::size_t{256} << 10, most_at_once = 8;

// Its output is the pipe's end; -1 when it cannot be started.
pid_t spawn(std::vector<std::string> words, int output) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, 1);
  ::posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  // No debug information from the network, and none of the user's settings.
  std::string path = "PATH=/usr/bin:/bin", quiet = "DEBUGINFOD_URLS=";
  std::array<char*, 3> environment = {path.data(), quiet.data(), nullptr};
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, arguments.front(), &files, nullptr, arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  return failed == 0 ? pid : -1;
}

}  // namespace

std::string stack_in(std::string text) {
  if (!text.starts_with("#") && text.find("\n#") == std::string::npos) text.clear();
  return text;
}

// A tool that looks at one process. What it waits for holds on to it.
class Stacks::Tool : public std::enable_shared_from_this<Tool> {
 public:
  using Done = std::function<void(std::string)>;

  // `process`: pid descriptor of the process that it looks at, owned; negative: `stopped` is that process where the
  // kernel knows no such descriptors, or -1: one that it may not let go on.
  Tool(boost::asio::io_context& context, int process, pid_t stopped, int output, pid_t pid)
      : pid_(pid), process_(process), stopped_(stopped), output_(context, output), cap_(context) {}
  ~Tool() {
    if (process_ >= 0) ::close(process_);
  }
  Tool(const Tool&) = delete;
  Tool& operator=(const Tool&) = delete;

  void start(std::chrono::steady_clock::time_point until, Done done) {
    done_ = std::move(done);
    cap_.expires_at(until);
    cap_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->finish();
    });
    read();
  }

  // One that is killed while it attaches leaves the process stopped.
  void end() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    if (process_ >= 0)
      ::syscall(SYS_pidfd_send_signal, process_, SIGCONT, nullptr, 0);
    else if (stopped_ > 0)
      ::kill(stopped_, SIGCONT);
    cap_.cancel();
    output_.close();
  }

  pid_t pid() const { return pid_; }

 private:
  void read() {
    output_.async_read_some(boost::asio::buffer(buffer_),
                            [self = shared_from_this()](const error_code& error, std::size_t count) {
                              if (self->pid_ < 0) return;  // nobody asks any more
                              if (self->text_.size() < most_text) self->text_.append(self->buffer_.data(), count);
                              if (error)
                                self->finish();
                              else
                                self->read();
                            });
  }

  void finish() {
    if (pid_ < 0) return;
    end();
    done_(stack_in(std::move(text_)));
  }

  pid_t pid_;
  int process_;
  pid_t stopped_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::steady_timer cap_;
  std::array<char, 4096> buffer_{};
  std::string text_;
  Done done_;
};

Stacks::Stacks(boost::asio::io_context& context, std::vector<std::string> folders)
    : context_(context), folders_(std::move(folders)) {}

Stacks::~Stacks() {
  for (const auto& tool : tools_) tool->end();
}

bool Stacks::is_tool(pid_t pid) const {
  return std::any_of(tools_.begin(), tools_.end(), [pid](const auto& tool) { return pid > 0 && tool->pid() == pid; });
}

std::vector<std::string> Stacks::command_for(pid_t pid) const {
  const std::string id = std::to_string(pid);
  for (const std::string& folder : folders_) {
    if (const std::string tool = folder + "/eu-stack"; ::access(tool.c_str(), X_OK) == 0)
      return {tool, "-n", "32", "-p", id};
    // Reading the symbols of all LibTorch takes it many seconds, which a run that hangs does not have: frames inside
    // libraries are guesses then, those of the worker's own code are not.
    if (const std::string tool = folder + "/gdb"; ::access(tool.c_str(), X_OK) == 0)
      return {tool, "-nx", "-batch", "-iex", "set auto-solib-add off", "-p", id, "-ex", "thread apply all bt 32"};
  }
  return {};
}

void Stacks::collect(pid_t pid, std::chrono::steady_clock::time_point until, std::function<void(std::string)> done) {
  waiting_.push_back({pid, until, std::move(done)});
  start_next();
}

void Stacks::start_next() {
  std::erase_if(tools_, [](const auto& tool) { return tool->pid() < 0; });
  while (!waiting_.empty() && tools_.size() < most_at_once) {
    Request next = std::move(waiting_.front());
    waiting_.pop_front();
    if (!start(next)) next.done({});
  }
}

bool Stacks::start(Request& request) {
  std::vector<std::string> command = command_for(request.pid);
  std::array<int, 2> pipe{};
  if (command.empty() || std::chrono::steady_clock::now() >= request.until || ::pipe2(pipe.data(), O_CLOEXEC) != 0)
    return false;
  // Opened before the tool starts: by its end the process may be gone, and its id another's. One that was stopped
  // before stays so.
  int process = static_cast<int>(::syscall(SYS_pidfd_open, request.pid, 0));
  const bool unknown = process < 0 && errno == ENOSYS;  // before Linux 5.3
  if (process < 0 && !unknown) {
    ::close(pipe[0]);
    ::close(pipe[1]);
    return false;
  }
  const bool stays = process_facts(request.pid).state == 'T';
  if (stays && process >= 0) ::close(std::exchange(process, -1));
  const pid_t tool = spawn(std::move(command), pipe[1]);
  ::close(pipe[1]);
  if (tool < 0) {
    ::close(pipe[0]);
    if (process >= 0) ::close(process);
    return false;
  }
  tools_.push_back(std::make_shared<Tool>(context_, process, unknown && !stays ? request.pid : -1, pipe[0], tool));
  tools_.back()->start(request.until, [this, done = std::move(request.done)](std::string text) {
    done(std::move(text));
    start_next();
  });
  return true;
}

}  // namespace tradewind::launcher
