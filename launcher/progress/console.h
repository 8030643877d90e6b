// What the user sees: the workers' lines, notes and errors, and the progress. On a terminal one line of progress is
// overwritten; elsewhere there is a line per step. Standard output belongs to the workers' own output, everything else
// goes to standard error. Not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "common/errors.h"
#include "launcher/progress/progress.h"
#include "launcher/progress/verbosity.h"
#include "launcher/supervisor/audience.h"

namespace tradewind::launcher {

struct Screen {
  std::ostream& output;
  std::ostream& error;
  bool terminal = false;  // of `error`
  int columns = 80;
  std::function<int()> output_error = {};  // why what was written to `output` is lost; 0: it is not
};
// Standard output and error of this process.
Screen screen_of_process();

class Console : public Audience {
 public:
  Console(Screen screen, Verbosity verbosity, int ranks) : screen_(screen), verbosity_(verbosity), ranks_(ranks) {}
  void message(int rank, const proto::Message& message) override;
  void line(int rank, proto::Stream stream, const std::string& line) override;
  void hosts(const std::vector<std::string>& hosts) override { hosts_ = hosts; }
  void hang(const Hang& hang) override;
  std::optional<RankError> fault() override;
  // An attempt has ended so, and another one begins.
  void starts_again(const Outcome& outcome, int restarts_left);
  // Ends the progress line and says how the run ended.
  void outcome(const Outcome& outcome, double seconds);

 private:
  void print(std::ostream& stream, const std::string& line);
  void show(const std::string& progress);
  std::string prefix(int rank) const;  // `[rank host] `; rank 0 is plain

  Screen screen_;
  Verbosity verbosity_;
  int ranks_;
  std::vector<std::string> hosts_;  // of each rank, once known
  Progress progress_;
  std::string shown_;
  std::deque<std::string> printed_;  // the last lines on `error`, a screenful
};

// `error: where: what` and, in a line of its own, the remedy.
void print_error(std::ostream& stream, const std::string& what, const std::string& where, const std::string& remedy);
void print_error(std::ostream& stream, const Error& error);

}  // namespace tradewind::launcher
