// What the user sees of a run, as it goes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/supervisor/outcome.h"
#include "proto/control.h"
#include "proto/rank_sample.h"

namespace tradewind::launcher {

struct Hang;

class Audience {
 public:
  static constexpr int starter = -1;  // in the place of a rank: what started the ranks
  virtual ~Audience() = default;
  virtual void message(int rank, const proto::Message& message) = 0;
  virtual void line(int rank, proto::Stream stream, const std::string& line) = 0;
  virtual void hosts(const std::vector<std::string>& hosts) { static_cast<void>(hosts); }  // of each rank
  // Of every rank, once a second.
  virtual void samples(const std::vector<proto::RankSample>& samples) { static_cast<void>(samples); }
  virtual void hang(const Hang& hang) { static_cast<void>(hang); }
  // The user asked how the run gets on (SIGUSR1).
  virtual void asked() {}
  // Why what the ranks print is lost, which ends the run; nullopt: it is not.
  virtual std::optional<RankError> fault() { return std::nullopt; }
};

}  // namespace tradewind::launcher
