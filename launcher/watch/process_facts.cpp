#include "launcher/watch/process_facts.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "common/file_text.h"

namespace tradewind::launcher {
namespace {

// The number after `name` in a text of `name: number` lines; 0 without one.
std::uint64_t number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return 0;
  const std::size_t first = text.find_first_of("0123456789", at + name.size());
  std::uint64_t value = 0;
  if (first != std::string_view::npos) std::from_chars(text.data() + first, text.data() + text.size(), value);
  return value;
}

// Fields of a stat file after the name in parentheses, which may itself hold anything: state first.
std::vector<std::string> stat_fields(const std::string& folder) {
  const std::string text = file_text(folder + "/stat");
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

struct FileCall {
  long number;
  const char* name;
  int descriptor;  // which argument is one; -1: none
  int path;        // which argument points to a path; -1: none
};
constexpr std::array file_calls = {
    FileCall{SYS_read, "read", 0, -1},
    FileCall{SYS_write, "write", 0, -1},
    FileCall{SYS_readv, "readv", 0, -1},
    FileCall{SYS_writev, "writev", 0, -1},
    FileCall{SYS_pread64, "pread64", 0, -1},
    FileCall{SYS_pwrite64, "pwrite64", 0, -1},
    FileCall{SYS_fsync, "fsync", 0, -1},
    FileCall{SYS_fdatasync, "fdatasync", 0, -1},
    FileCall{SYS_ftruncate, "ftruncate", 0, -1},
    FileCall{SYS_close, "close", 0, -1},
    FileCall{SYS_getdents64, "getdents64", 0, -1},
    FileCall{SYS_fstat, "fstat", 0, -1},
    FileCall{SYS_openat, "openat", -1, 1},
    FileCall{SYS_newfstatat, "newfstatat", -1, 1},
    FileCall{SYS_statx, "statx", -1, 1},
    FileCall{SYS_unlinkat, "unlinkat", -1, 1},
    FileCall{SYS_mkdirat, "mkdirat", -1, 1},
    FileCall{SYS_renameat, "renameat", -1, 1},
#ifdef SYS_open
    FileCall{SYS_open, "open", -1, 0},
    FileCall{SYS_stat, "stat", -1, 0},
    FileCall{SYS_unlink, "unlink", -1, 0},
    FileCall{SYS_rename, "rename", -1, 0},
#endif
};

std::string text_in_process(pid_t pid, std::uint64_t address) {
  std::array<char, 256> buffer{};
  iovec here{buffer.data(), buffer.size() - 1};
  iovec there{reinterpret_cast<void*>(address), buffer.size() - 1};  // NOLINT(performance-no-int-to-ptr): not ours
  if (::process_vm_readv(pid, &here, 1, &there, 1, 0) <= 0) return {};
  return buffer.data();
}

std::string file_of(pid_t pid, std::uint64_t descriptor) {
  std::error_code error;
  const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(static_cast<int>(descriptor));
  std::string target = std::filesystem::read_symlink(link, error).string();
  if (target.starts_with("socket:") || target.starts_with("anon_inode:")) return {};
  if (target.starts_with("pipe:") && descriptor == 1) return "standard output";
  if (target.starts_with("pipe:") && descriptor == 2) return "standard error";
  return target;
}

// `number argument...` in hexadecimal, or `running`.
void read_system_call(const std::string& folder, pid_t pid, proto::ThreadFacts& thread) {
  std::istringstream text(file_text(folder + "/syscall"));
  long number = -1;
  if (!(text >> number)) return;
  std::array<std::uint64_t, 3> arguments{};
  for (auto& argument : arguments) {
    std::string word;
    text >> word;
    if (word.starts_with("0x")) std::from_chars(word.data() + 2, word.data() + word.size(), argument, 16);
  }
  for (const FileCall& call : file_calls) {
    if (call.number != number) continue;
    thread.system_call = call.name;
    thread.path = call.descriptor >= 0 ? file_of(pid, arguments[static_cast<std::size_t>(call.descriptor)])
                                       : text_in_process(pid, arguments[static_cast<std::size_t>(call.path)]);
    return;
  }
  thread.system_call = "system call " + std::to_string(number);
}

// The thread that checks the checkpoint beside the forecast (worker/weights/background_check.h) tells nothing of how
// the forecast gets on: while it is there, what the other threads read counts.
void leave_out_checksums(const std::string& folder, proto::ProcessFacts& facts) {
  std::uint64_t characters = 0, storage = 0;
  bool found = false;
  std::error_code error;
  for (std::filesystem::directory_iterator tasks(folder + "/task", error), end; !error && tasks != end;
       tasks.increment(error)) {
    const std::string task = tasks->path().string();
    if (file_text(task + "/comm") == "checksums\n") {
      found = true;
      continue;
    }
    const std::string io = file_text(task + "/io");
    characters += number_after(io, "rchar:");
    storage += number_after(io, "\nread_bytes:");
  }
  if (!found) return;
  facts.read_characters = characters;
  facts.read_storage = storage;
}

}  // namespace

proto::ProcessFacts process_facts(pid_t pid) {
  proto::ProcessFacts facts;
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto stat = stat_fields(folder);
  constexpr std::size_t state = 0, major_faults = 9;
  if (stat.size() <= major_faults) return facts;
  facts.known = true;
  facts.state = stat[state].front();
  const std::string status = file_text(folder + "/status");
  facts.tracer = static_cast<int>(number_after(status, "\nTracerPid:"));
  facts.resident_bytes = static_cast<std::int64_t>(number_after(status, "\nVmRSS:")) * 1024;
  const std::string io = file_text(folder + "/io");
  facts.read_characters = number_after(io, "rchar:");
  facts.written_characters = number_after(io, "wchar:");
  facts.read_storage = number_after(io, "\nread_bytes:");
  leave_out_checksums(folder, facts);
  facts.read_storage += number_after(stat[major_faults], "");
  std::istringstream schedule(file_text(folder + "/schedstat"));
  double ran = 0, waited = 0;
  constexpr double second = 1e9;
  if (schedule >> ran >> waited) {
    facts.cpu_seconds = ran / second;
    facts.starved_seconds = waited / second;
  }
  return facts;
}

std::vector<proto::ThreadFacts> thread_facts(pid_t pid) {
  std::vector<proto::ThreadFacts> threads;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    proto::ThreadFacts thread;
    const std::string folder = entry.path().string();
    thread.id = std::atoi(entry.path().filename().c_str());
    const auto stat = stat_fields(folder);
    if (stat.empty()) continue;
    thread.state = stat[0].front();
    thread.wchan = file_text(folder + "/wchan");
    if (thread.wchan == "0") thread.wchan.clear();
    if (thread.state != 'R') read_system_call(folder, pid, thread);
    threads.push_back(std::move(thread));
  }
  return threads;
}

int held_thread(const proto::ProcessFacts& process) {
  for (const auto& thread : process.threads)
    if (thread.state == 'D' && !thread.path.empty()) return thread.id;
  return 0;
}

std::string kernel_stack(pid_t pid, int thread) {
  std::string text = "the kernel holds thread " + std::to_string(thread) +
                     ": no tool can stop it to read its stack\nTID " + std::to_string(thread) + ":\n";
  std::istringstream frames(file_text("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/stack"));
  int number = 0;
  for (std::string line; std::getline(frames, line); ++number) {
    const std::size_t name = line.find("] ");
    text.append("#").append(std::to_string(number)).append(" kernel: ");
    text.append(name == std::string::npos ? line : line.substr(name + 2)).append("\n");
  }
  return text;
}

}  // namespace tradewind::launcher
