#include "launcher/progress/progress.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace tradewind::launcher {
namespace {

std::string which(const proto::Step& step) {
  const CivilTime t = civil(step.valid_time);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "step %d/%d  %04d-%02d-%02d %02d:%02d", step.step, step.steps, t.year,
                t.month, t.day, t.hour, t.minute);
  return text.data();
}

}  // namespace

std::string duration_words(double seconds) {
  std::array<char, 48> text{};
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (seconds < 9.995)
    std::snprintf(text.data(), text.size(), "%.2f s", seconds);
  else if (seconds < 59.95)
    std::snprintf(text.data(), text.size(), "%.1f s", seconds);
  else if (whole < 3600)
    std::snprintf(text.data(), text.size(), "%lld min %02lld s", whole / 60, whole % 60);
  else
    std::snprintf(text.data(), text.size(), "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
  return text.data();
}

std::string Progress::step(const proto::Step& step) {
  if (step.step > 1) {
    later_seconds_ += step.seconds;
    ++later_steps_;
  }
  const double each = later_steps_ > 0 ? later_seconds_ / later_steps_ : step.seconds;
  std::string text = which(step) + "  " + duration_words(each) + "/step";
  if (step.step < step.steps) text += "  " + duration_words(each * (step.steps - step.step)) + " left";
  return text;
}

std::string Progress::logged(const proto::Step& step) { return which(step) + "  " + duration_words(step.seconds); }

}  // namespace tradewind::launcher
