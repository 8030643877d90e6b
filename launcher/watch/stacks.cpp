#include "launcher/watch/stacks.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <utility>
#include <vector>

#include "launcher/watch/process_facts.h"

namespace tradewind::launcher {
namespace {

using boost::system::error_code;

constexpr std::size_t most_text = std::size_t{256} << 10;

std::vector<std::string> command_for(pid_t pid) {
  const std::string id = std::to_string(pid);
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/", "/bin/"}) {
    if (::access((std::string(folder) + "eu-stack").c_str(), X_OK) == 0)
      return {std::string(folder) + "eu-stack", "-n", "32", "-p", id};
    if (::access((std::string(folder) + "gdb").c_str(), X_OK) == 0)
      return {std::string(folder) + "gdb", "-nx", "-batch", "-p", id, "-ex", "thread apply all bt 32"};
  }
  return {};
}

}  // namespace

std::string stack_in(std::string text) {
  if (!text.starts_with("#") && text.find("\n#") == std::string::npos) text.clear();
  return text;
}

Stacks::Stacks(boost::asio::io_context& context) : context_(context), cap_(context) {}

Stacks::~Stacks() {
  if (tool_ > 0) end_tool();
}

// One that is killed while it attaches leaves the process stopped.
void Stacks::end_tool() {
  ::kill(tool_, SIGKILL);
  ::waitpid(tool_, nullptr, 0);
  tool_ = -1;
  if (!was_stopped_) ::kill(seen_, SIGCONT);
}

void Stacks::collect(pid_t pid, std::chrono::steady_clock::time_point until, std::function<void(std::string)> done) {
  requests_.push_back({pid, until, std::move(done)});
  if (tool_ < 0) start_next();
}

void Stacks::start_next() {
  while (!requests_.empty()) {
    if (std::chrono::steady_clock::now() < requests_.front().until && start(requests_.front())) return;
    const auto done = std::move(requests_.front().done);
    requests_.pop_front();
    done({});
  }
}

bool Stacks::start(const Request& request) {
  std::vector<std::string> words = command_for(request.pid);
  std::array<int, 2> pipe{};
  if (words.empty() || ::pipe2(pipe.data(), O_CLOEXEC) != 0) return false;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, pipe[1], 1);
  ::posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  // No debug information from the network, and none of the user's settings.
  std::string path = "PATH=/usr/bin:/bin", quiet = "DEBUGINFOD_URLS=";
  std::array<char*, 3> environment = {path.data(), quiet.data(), nullptr};
  seen_ = request.pid;
  was_stopped_ = process_facts(seen_).state == 'T';
  const int failed = ::posix_spawn(&tool_, arguments.front(), &files, nullptr, arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  ::close(pipe[1]);
  if (failed != 0) {
    tool_ = -1;
    ::close(pipe[0]);
    return false;
  }
  text_.clear();
  output_ = std::make_unique<boost::asio::posix::stream_descriptor>(context_, pipe[0]);
  cap_.expires_at(request.until);
  cap_.async_wait([this](const error_code& error) {
    if (!error && tool_ > 0) ::kill(tool_, SIGKILL);  // which ends its output
  });
  read();
  return true;
}

void Stacks::read() {
  output_->async_read_some(boost::asio::buffer(buffer_), [this](const error_code& error, std::size_t count) {
    if (text_.size() < most_text) text_.append(buffer_.data(), count);
    if (error)
      finish();
    else
      read();
  });
}

void Stacks::finish() {
  cap_.cancel();
  // Its output has ended: it has, or is about to; and it is of no use any more.
  end_tool();
  const auto done = std::move(requests_.front().done);
  requests_.pop_front();
  done(stack_in(std::move(text_)));
  if (tool_ < 0) start_next();
}

}  // namespace tradewind::launcher
