#include "launcher/watch/kernel_log.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <ctime>
#include <utility>

#include "launcher/process/descriptor.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t most_text = 200, most_xids = 8;
constexpr int most_records = 100'000;

}  // namespace

std::optional<std::string> xid_of(std::string_view line) {
  constexpr std::string_view driver = "NVRM: ", mark = "NVRM: Xid (";
  const std::size_t begin = line.find(mark);
  if (begin == std::string_view::npos || line.find("): ", begin) == std::string_view::npos) return std::nullopt;
  std::string_view text = line.substr(begin + driver.size(), most_text);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

std::optional<KernelRecord> kernel_record_of(std::string_view record) {
  const std::size_t semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  std::string_view head = record.substr(0, semicolon);
  for (int field = 0; field < 2; ++field) {
    const std::size_t comma = head.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    head.remove_prefix(comma + 1);
  }
  KernelRecord result;
  const auto [end, error] = std::from_chars(head.data(), head.data() + head.size(), result.microseconds);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view text = record.substr(semicolon + 1);
  result.text = text.substr(0, text.find('\n'));
  return result;
}

std::vector<std::string> xids_of(int log, std::int64_t begin) {
  std::vector<std::string> found;
  std::array<char, 8192> buffer{};
  for (int records = 0; records < most_records && found.size() < most_xids; ++records) {
    const ssize_t size = ::read(log, buffer.data(), buffer.size());
    if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;  // EPIPE: records that were overwritten meanwhile
    if (size <= 0) break;
    const auto record = kernel_record_of({buffer.data(), static_cast<std::size_t>(size)});
    if (!record || record->microseconds < begin) continue;
    if (auto xid = xid_of(record->text)) found.push_back(std::move(*xid));
  }
  return found;
}

std::vector<std::string> xids_since(std::int64_t begin) {
  const Descriptor log(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return log.valid() ? xids_of(log.get(), begin) : std::vector<std::string>();
}

std::int64_t microseconds_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace tradewind::launcher
