// What a run leaves in its folder while it goes: how it gets on (status.json, every two seconds) and, when it hangs,
// the dumps of its ranks. Passes everything on to another audience. A file that cannot be written is no reason to end a
// run. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "launcher/supervisor/audience.h"

namespace tradewind::launcher {

class RunFiles : public Audience {
 public:
  // Without a folder nothing is written.
  RunFiles(Audience& inner, std::string folder, TimePoint started)
      : inner_(inner), folder_(std::move(folder)), started_(started) {}

  void message(int rank, const proto::Message& message) override;
  void line(int rank, proto::Stream stream, const std::string& line) override { inner_.line(rank, stream, line); }
  void hosts(const std::vector<std::string>& hosts) override { inner_.hosts(hosts); }
  void samples(const std::vector<proto::RankSample>& samples) override;
  void hang(const Hang& hang) override;
  std::optional<RankError> fault() override { return inner_.fault(); }
  // The table of the newest samples goes out as lines of what started the ranks.
  void asked() override;
  // done, failed or stopped.
  void ended(const std::string& state);

 private:
  void write(const std::string& state);

  Audience& inner_;
  std::string folder_;
  TimePoint started_, written_{};
  std::string state_ = "running";
  std::vector<proto::RankSample> samples_;
  std::vector<std::string> devices_;
};

}  // namespace tradewind::launcher
