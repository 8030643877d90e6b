// What a rank did in a run, for the report: rows and halo, traffic by phase, where the seconds went, the output's
// backlog. An object of the form that proto/PROTOCOL.md gives (`figures` of `finished`).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "worker/dist/communicator.h"
#include "worker/outputs/output.h"

namespace tradewind::forecast {

// Follows the model calls of a run. Not thread-safe.
class Figures {
 public:
  explicit Figures(dist::Communicator& communicator) : communicator_(communicator) {}

  // Around what is neither loading, input nor output: its seconds less those of collectives are computing.
  void begin_steps();
  void end_steps(double seconds, int steps);
  // Seconds the rank itself spent on output, closing included, collectives not subtracted.
  void output(double seconds, const outputs::OutputFigures& figures);

  // Collective: settles which seconds were waiting. `rows`: of the data grid, of this rank.
  nlohmann::ordered_json result(std::int64_t rows);

 private:
  struct Mark {
    double seconds = 0;           // in collectives, output's excepted
    std::int64_t bytes_sent = 0;  // in all
  };
  Mark mark() const;

  dist::Communicator& communicator_;
  Mark begin_;
  double computing_ = 0, writing_ = 0;
  int steps_ = 0;
  outputs::OutputFigures output_;
};

}  // namespace tradewind::forecast
