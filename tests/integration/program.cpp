#include "tests/integration/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "common/file_text.h"

namespace tradewind::test {

Result run(const Program& program) {
  std::array<int, 2> out{}, err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(out[1], 1);
    ::dup2(err[1], 2);
    for (const auto& [name, value] : program.environment) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> words;
    for (const std::string& word : program.command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    if (::chdir(program.folder.c_str()) == 0) ::execv(words.front(), words.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  Result result;
  std::array<pollfd, 2> streams = {{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    ::poll(streams.data(), streams.size(), -1);
    for (std::size_t i = 0; i < 2; ++i) {
      if (streams[i].fd < 0 || streams[i].revents == 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t count = ::read(streams[i].fd, buffer.data(), buffer.size());
      if (count > 0) {
        (i == 0 ? result.output : result.error).append(buffer.data(), static_cast<std::size_t>(count));
        if (i == 1 && program.watch) program.watch(pid, result.error);
      } else {
        ::close(streams[i].fd);
        streams[i].fd = -1;
      }
    }
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  result.by_signal = WIFSIGNALED(status);
  result.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

Folder::Folder(const std::filesystem::path& source) {
  namespace fs = std::filesystem;
  if (source.empty()) return;
  for (const auto& entry : fs::directory_iterator(source))
    if (entry.is_regular_file()) fs::create_symlink(fs::absolute(entry.path()), path / entry.path().filename());
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::remove(file);  // it may be a link into the source tree
  std::ofstream(file, std::ios::binary) << text;
}

int processes_marked(const std::string& mark) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc"))
    found += text_of(entry.path() / "environ").find(mark) != std::string::npos ? 1 : 0;
  return found;
}

pid_t marked_process(const std::string& mark, const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc"))
    if (text_of(entry.path() / "environ").find(mark) != std::string::npos &&
        text_of(entry.path() / "comm") == name + "\n")
      return static_cast<pid_t>(std::stol(entry.path().filename().string()));
  return 0;
}

}  // namespace tradewind::test
