#include "launcher/watch/describe.h"

#include <algorithm>

namespace tradewind::launcher {

std::string ranks_text(const std::vector<int>& ranks) {
  if (ranks.empty()) return "no rank";
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  constexpr std::size_t most = 16;
  for (std::size_t i = 0; i < std::min(ranks.size(), most); ++i) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    text += std::to_string(ranks[i]);
  }
  if (ranks.size() > most) text += " and " + std::to_string(ranks.size() - most) + " more";
  return text;
}

std::string call_text(const proto::Collective& call) {
  std::string text = call.operation;
  if (!call.dtype.empty()) {
    text += " of " + call.dtype + " (";
    for (std::size_t i = 0; i < call.shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(call.shape[i]);
    text += ")";
  }
  return text + " at '" + call.place + "'";
}

std::string place_text(const proto::RankSample& sample) {
  const proto::Telemetry& t = sample.telemetry;
  if (sample.lost) return "its host does not answer";
  std::string text = t.known ? "phase " + t.phase : "no sign of life yet";
  if (t.step > 0) text.append(" ").append(std::to_string(t.step));
  if (t.step > 0 && t.steps > 0) text.append("/").append(std::to_string(t.steps));
  if (t.in_collective())
    text += ", waits in collective " + std::to_string(t.call.sequence) + " (" + call_text(t.call) + ")";
  else if (t.known)
    text += (t.layer.empty() ? "" : " at '" + t.layer + "'") + ", " + std::to_string(t.done) + " collectives done";
  if (sample.exited) return text + ", has left";
  if (sample.process.known) {
    text.append(", state ").push_back(sample.process.state);
    const auto& threads = sample.process.threads;
    const auto main = std::find_if(threads.begin(), threads.end(), [&](const auto& f) { return f.id == sample.pid; });
    if (main != threads.end() && !main->wchan.empty()) text += " (" + main->wchan + ")";
  }
  return text;
}

}  // namespace tradewind::launcher
