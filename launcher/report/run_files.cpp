#include "launcher/report/run_files.h"

#include <filesystem>
#include <sstream>

#include "common/printable.h"
#include "launcher/watch/hang_report.h"
#include "launcher/watch/status.h"

namespace tradewind::launcher {
namespace {

constexpr auto status_interval = std::chrono::seconds(2);

}  // namespace

void RunFiles::message(int rank, const proto::Message& message) {
  if (const auto* ready = std::get_if<proto::Ready>(&message)) {
    const auto index = static_cast<std::size_t>(rank);
    if (index >= devices_.size()) devices_.resize(index + 1);
    devices_[index] = ready->device;
  }
  inner_.message(rank, message);
}

void RunFiles::samples(const std::vector<proto::RankSample>& samples) {
  samples_ = samples;
  for (auto& sample : samples_)
    if (const auto index = static_cast<std::size_t>(sample.rank); index < devices_.size())
      sample.device = devices_[index];
  if (Clock::now() - written_ >= status_interval) write(state_);
}

void RunFiles::write(const std::string& state) {
  if (folder_.empty()) return;
  written_ = Clock::now();
  write_status(status_json(samples_, state, seconds_since(started_)),
               (std::filesystem::path(folder_) / "status.json").string());
}

void RunFiles::hang(const Hang& hang) {
  state_ = hang.withdrawn ? "running" : "hangs";
  if (!hang.withdrawn) write_dumps(hang);
  write(state_);
  inner_.hang(hang);
}

void RunFiles::asked() {
  std::istringstream table(printable(status_table(status_json(samples_, state_, seconds_since(started_)))));
  for (std::string line; std::getline(table, line);) inner_.line(starter, proto::Stream::error, line);
}

void RunFiles::ended(const std::string& state) { write(state); }

}  // namespace tradewind::launcher
