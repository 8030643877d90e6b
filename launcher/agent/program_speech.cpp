#include "launcher/agent/program_speech.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <ctime>

#include "common/exit_codes.h"
#include "common/printable.h"

namespace tradewind::launcher {
namespace {

constexpr int most_steps = 1'000'000'000;

std::int64_t nanoseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

template <std::size_t N>
void put(std::array<char, N>& field, const std::string& text) {
  field = {};
  std::copy_n(text.begin(), std::min(text.size(), N - 1), field.begin());
}

std::string_view next_word(std::string_view& rest) {
  constexpr const char* blanks = " \t\r";
  const std::size_t begin = rest.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return rest = {};
  rest.remove_prefix(begin);
  const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
  rest.remove_prefix(word.size());
  return word;
}

// `3` or `3/40`; false for anything else.
bool read_steps(std::string_view word, PhaseLine& line) {
  const auto number = [](std::string_view text, int& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= most_steps;
  };
  const std::size_t slash = word.find('/');
  PhaseLine read = line;
  if (!number(word.substr(0, slash), read.step)) return false;
  if (slash != std::string_view::npos && !number(word.substr(slash + 1), read.steps)) return false;
  line = read;
  return true;
}

}  // namespace

std::optional<PhaseLine> phase_line(std::string_view text) {
  constexpr std::size_t longest_path = 255, longest_phase = 15;
  PhaseLine line;
  std::string_view rest = text;
  line.phase = printable_line(next_word(rest)).substr(0, longest_phase);
  if (line.phase.empty()) return std::nullopt;
  std::string_view after = rest;
  if (const std::string_view word = next_word(after); !word.empty() && read_steps(word, line)) rest = after;
  const std::size_t begin = rest.find_first_not_of(" \t\r"), end = rest.find_last_not_of(" \t\r");
  if (begin != std::string_view::npos)
    line.path = printable_line(rest.substr(begin, end - begin + 1)).substr(0, longest_path);
  return line;
}

bool speaks_of_lost_connection(const std::string& line) {
  static constexpr std::array signs = {"Connection closed by peer", "Connection reset by peer",    "Broken pipe",
                                       "Connection refused",        "NCCL remote error",           "ncclRemoteError",
                                       "recvValue failed",          "Connection was likely closed"};
  return std::any_of(signs.begin(), signs.end(),
                     [&](const char* sign) { return line.find(sign) != std::string::npos; });
}

bool speaks_of_mismatch(const std::string& line) {
  return line.find("Received data size doesn't match expected size") != std::string::npos;
}

ProgramSpeech::ProgramSpeech(proto::TelemetryPage& page, std::string log)
    : page_(page), log_(std::move(log)), lines_([this](const std::string& line) { told(line); }, 4096) {}

void ProgramSpeech::began(int pid) {
  proto::PlaceRecord place{};
  put(place.phase, "program");
  place.since = nanoseconds_now();
  page_.place.store(place);
  proto::begin_page(page_);
  ends().said(proto::Hello{.pid = pid});
}

void ProgramSpeech::stop() {
  asked_to_stop_ = true;
  ends().signalled(SIGTERM);
}

void ProgramSpeech::heard(std::string_view bytes) { lines_.feed(bytes); }

void ProgramSpeech::told(const std::string& text) {
  const auto line = phase_line(text);
  if (!line) return;
  proto::PlaceRecord place{};
  put(place.phase, line->phase);
  put(place.layer, line->path);
  place.step = line->step;
  place.steps = line->steps;
  place.since = nanoseconds_now();
  page_.place.store(place);
  page_.tick.fetch_add(1, std::memory_order_relaxed);
  if (std::exchange(phase_, line->phase) != line->phase) ends().said(proto::Phase{line->phase});
}

void ProgramSpeech::wrote(proto::Stream stream, const std::string& line) {
  if (stream == proto::Stream::error) traceback_.feed(line);
  if (stream == proto::Stream::error && speaks_of_lost_connection(line)) lost_connection_ = true;
  if (stream == proto::Stream::error && speaks_of_mismatch(line)) mismatch_ = true;
}

void ProgramSpeech::left(const Exit& exit) {
  lines_.end();
  if (exit.signal == SIGABRT && mismatch_)
    return ends().said(proto::Failure{
        .kind = proto::FailureKind::internal,
        .what = "it got data of another size than it expected: the ranks do not make the same collective, and this one "
                "need not be to blame",
        .remedy = "compare what the ranks do there: operations, shapes and types; their last lines tell",
        .exit_code = static_cast<int>(ExitCode::signal_base) + SIGABRT});
  if (exit.signal != 0) return;
  if (exit.code == 0 && !asked_to_stop_) return ends().said(proto::Finished{.peak_rss_bytes = exit.peak_rss_bytes});
  if (asked_to_stop_)
    return ends().said(proto::Failure{.kind = proto::FailureKind::stopped,
                                      .what = "the program ended when it was asked to",
                                      .exit_code = static_cast<int>(ExitCode::signal_base) + SIGTERM});
  const std::vector<PythonFrame> frames = traceback_.frames();
  const PythonFrame* own = own_frame(frames);
  const std::string& message = traceback_.message();
  ends().said(proto::Failure{
      .kind = lost_connection_ ? proto::FailureKind::connection : proto::FailureKind::environment,
      .what = "the program left with exit code " + std::to_string(exit.code) + (message.empty() ? "" : ": " + message),
      .where = own != nullptr ? text_of(*own) : std::string(),
      .remedy = log_.empty() ? std::string() : "its own lines say why: " + log_,
      .exit_code = exit.code});
}

}  // namespace tradewind::launcher
