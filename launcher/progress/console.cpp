#include "launcher/progress/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "common/printable.h"
#include "common/refusals.h"
#include "common/streams.h"
#include "launcher/watch/hang_report.h"

namespace tradewind::launcher {

Screen screen_of_process() {
  winsize size{};
  const bool sized = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {.output = std::cout,
          .error = std::cerr,
          .terminal = ::isatty(STDERR_FILENO) == 1,
          .columns = sized ? static_cast<int>(size.ws_col) : 80};
}

std::string Console::prefix(int rank) const {
  if (rank <= 0 || ranks_ == 1) return {};
  const auto i = static_cast<std::size_t>(rank);
  std::string text("[");
  text.append(std::to_string(rank));
  if (i < hosts_.size()) text.append(" ").append(printable_line(hosts_[i]));
  return text.append("] ");
}

void Console::show(const std::string& progress) {
  const std::string text =
      printable_line(progress).substr(0, static_cast<std::size_t>(std::max(1, screen_.columns - 1)));
  screen_.error << '\r' << text << "\033[K" << std::flush;
  shown_ = text;
}

void Console::print(std::ostream& stream, const std::string& line) {
  if (!shown_.empty()) screen_.error << "\r\033[K" << std::flush;
  stream << line << '\n' << std::flush;
  if (&stream == &screen_.error) {
    constexpr std::size_t screenful = 40;
    printed_.push_back(line);
    if (printed_.size() > screenful) printed_.pop_front();
  }
  if (!shown_.empty()) show(shown_);
}

void Console::message(int rank, const proto::Message& message) {
  if (const auto* note = std::get_if<proto::Note>(&message)) {
    if (verbosity_ != Verbosity::quiet) print(screen_.error, prefix(rank) + printable(note->text));
  } else if (const auto* warning = std::get_if<proto::Warning>(&message)) {
    print(screen_.error, prefix(rank) + "warning: " + printable(warning->text));
  } else if (rank != 0 || verbosity_ == Verbosity::quiet) {
    return;
  } else if (const auto* step = std::get_if<proto::Step>(&message)) {
    if (screen_.terminal)
      show(progress_.step(*step));
    else
      print(screen_.error, Progress::logged(*step));
  } else if (const auto* phase = std::get_if<proto::Phase>(&message)) {
    if (screen_.terminal && shown_.find("step ") != 0)
      show(phase->name);
    else if (verbosity_ == Verbosity::verbose)
      print(screen_.error, "phase: " + printable_line(phase->name));
  }
}

void Console::line(int rank, proto::Stream stream, const std::string& line) {
  // What goes to standard output is the run's, byte for byte.
  if (stream == proto::Stream::output)
    print(screen_.output, prefix(rank) + line);
  else
    print(screen_.error, prefix(rank) + printable_line(line));
}

std::optional<RankError> Console::fault() {
  const int code = screen_.output_error ? screen_.output_error() : 0;
  if (code == 0) return std::nullopt;
  const EnvironmentFault error = write_fault("standard output", "", code);
  return RankError{.kind = proto::FailureKind::environment,
                   .what = error.message(),
                   .remedy = error.remedy(),
                   .exit_code = static_cast<int>(error.exit_code())};
}

void Console::hang(const Hang& hang) {
  if (hang.withdrawn) {
    print(screen_.error, "the run moves again: the verdict on a hang is taken back");
    return;
  }
  std::string text = printable(to_text(hang));
  text.pop_back();  // print() ends the line
  print(screen_.error, text);
}

void Console::starts_again(const Outcome& outcome, int restarts_left) {
  const RankError& error = *outcome.error;
  const std::string who = error.rank < 0 ? std::string() : "rank " + std::to_string(error.rank) + ": ";
  print(screen_.error, "warning: " + who + printable(error.what) + "; starting again (" +
                           std::to_string(restarts_left) + " more times if need be)");
}

void Console::outcome(const Outcome& outcome, double seconds) {
  if (!shown_.empty()) {
    screen_.error << (outcome.error ? "\r\033[K" : "\n") << std::flush;
    shown_.clear();
  }
  for (const int rank : outcome.left_behind)
    print(screen_.error, "warning: rank " + std::to_string(rank) + " (process " +
                             std::to_string(outcome.ranks[static_cast<std::size_t>(rank)].pid) +
                             ") did not end, not even by SIGKILL");
  if (!outcome.error) {
    if (verbosity_ != Verbosity::quiet && outcome.steps > 0)
      print(screen_.error, std::to_string(outcome.steps) + " steps in " + duration_words(seconds));
    return;
  }
  const RankError& error = *outcome.error;
  std::string where = error.where;
  if (ranks_ > 1 && error.rank >= 0) where = "rank " + std::to_string(error.rank) + (where.empty() ? "" : ": " + where);
  print_error(screen_.error, error.what, where, error.remedy);
  const auto is_shown = [&](const std::string& line) {
    return std::find(printed_.begin(), printed_.end(), prefix(error.rank) + printable_line(line)) != printed_.end();
  };
  // A stack that stands above need not be said again.
  const bool all_shown = std::all_of(error.last_lines.begin(), error.last_lines.end(), is_shown);
  if (ranks_ > 1 && error.silent && !all_shown) {
    print(screen_.error, "  its last lines:");
    for (const std::string& line : error.last_lines) print(screen_.error, "    " + printable_line(line));
  }
}

void print_error(std::ostream& stream, const std::string& what, const std::string& where, const std::string& remedy) {
  stream << printable("error: " + (where.empty() ? "" : where + ": ") + what) << '\n';
  if (!remedy.empty()) stream << printable("  remedy: " + remedy) << '\n';
  stream << std::flush;
}

void print_error(std::ostream& stream, const Error& error) {
  if (const auto* several = dynamic_cast<const Refused*>(&error);
      several != nullptr && several->refusals().size() > 1) {
    for (const Refusal& one : several->refusals()) print_error(stream, one.what, one.where, one.remedy);
    stream << "error: " << several->refusals().size() << " things to mend; nothing was started" << std::endl;
    return;
  }
  print_error(stream, error.message(), error.where(), error.remedy());
}

}  // namespace tradewind::launcher
