#include "launcher/watch/program_facts.h"

#include <dirent.h>
#include <unistd.h>

#include <charconv>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

#include "common/file_text.h"
#include "launcher/watch/process_facts.h"

namespace tradewind::launcher {
namespace {

// Fields of a stat file after the name in parentheses.
std::vector<std::string> stat_fields(const std::string& pid) {
  const std::string text = file_text("/proc/" + pid + "/stat");
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

template <typename Number>
Number number_of(const std::string& text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::uint64_t voluntary_switches(const std::string& status) {
  const std::string name = "\nvoluntary_ctxt_switches:";
  const std::size_t at = status.find(name);
  if (at == std::string::npos) return 0;
  const std::size_t begin = status.find_first_of("0123456789", at + name.size());
  return begin == std::string::npos ? 0 : number_of<std::uint64_t>(status.substr(begin, 20));
}

}  // namespace

std::map<pid_t, std::vector<pid_t>> processes_of_sessions(const std::set<pid_t>& sessions) {
  constexpr std::size_t state = 0, session = 3;
  std::map<pid_t, std::vector<pid_t>> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    const auto pid = number_of<pid_t>(name);
    if (pid <= 0) continue;
    const auto stat = stat_fields(name);
    if (stat.size() <= session || stat[state] == "Z" || stat[state] == "X") continue;
    if (const auto id = number_of<pid_t>(stat[session]); sessions.contains(id)) found[id].push_back(pid);
  }
  return found;
}

proto::ProgramFacts program_facts(const std::vector<pid_t>& processes) {
  constexpr std::size_t user_time = 11, system_time = 12;
  static const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  proto::ProgramFacts facts;
  for (const pid_t pid : processes) {
    const std::string name = std::to_string(pid);
    const auto stat = stat_fields(name);
    if (stat.size() <= system_time) continue;
    facts.known = true;
    facts.processes += static_cast<std::uint64_t>(pid);
    facts.cpu_seconds += (number_of<double>(stat[user_time]) + number_of<double>(stat[system_time])) / ticks;
    facts.switches += voluntary_switches(file_text("/proc/" + name + "/status"));
    const proto::ProcessFacts own = process_facts(pid);
    facts.bytes += own.read_characters + own.written_characters;
    facts.storage += own.read_storage;
  }
  return facts;
}

pid_t main_process(pid_t leader, const std::vector<pid_t>& processes) {
  constexpr std::size_t resident = 21;
  pid_t largest = leader;
  std::int64_t most = -1;
  for (const pid_t pid : processes) {
    const auto stat = stat_fields(std::to_string(pid));
    if (stat.size() <= resident) continue;
    const auto pages = number_of<std::int64_t>(stat[resident]);
    // A fork of it that shares its memory comes later.
    if (pages <= most) continue;
    most = pages;
    largest = pid;
  }
  return largest;
}

}  // namespace tradewind::launcher
