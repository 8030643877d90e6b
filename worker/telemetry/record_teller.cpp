#include "worker/telemetry/record_teller.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <exception>
#include <utility>

namespace tradewind::telemetry {
namespace {

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, nullptr, nullptr, 0);
}

}  // namespace

RecordTeller::RecordTeller(proto::FlightRecord& record, std::function<std::string()> say)
    : record_(record), say_(std::move(say)), thread_([this] { serve(); }) {}

RecordTeller::~RecordTeller() {
  ending_ = true;
  ++record_.asked;
  futex(record_.asked, FUTEX_WAKE, INT_MAX);
  thread_.join();
}

void RecordTeller::serve() {
  record_.served = 1;
  for (std::uint32_t seen = 0; !ending_;) {
    const std::uint32_t asked = record_.asked;
    if (asked == seen) {
      futex(record_.asked, FUTEX_WAIT, seen);
      continue;
    }
    seen = asked;
    if (!ending_) answer(asked);
  }
  record_.served = 0;
}

void RecordTeller::answer(std::uint32_t question) {
  std::string text;
  try {
    text = say_();
  } catch (const std::exception& error) {
    text = std::string("cannot be read: ") + error.what();
  }
  const std::size_t bytes = std::min(text.size(), record_.text.size());
  std::copy_n(text.begin(), bytes, record_.text.begin());
  record_.bytes = static_cast<std::uint32_t>(bytes);
  record_.told = question;
}

}  // namespace tradewind::telemetry
