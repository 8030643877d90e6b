// The capability of an output to be gone on with after an interruption (--restart).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "worker/filters/chain.h"
#include "worker/outputs/output.h"

namespace tradewind::outputs {

struct Settled {
  nlohmann::json told;  // the same on every rank
  filters::Kept kept;   // of the filters before the output, this rank's rows
};

class Restartable {
 public:
  virtual ~Restartable() = default;
  // Why this one cannot; empty: it can.
  virtual std::string why_no_restart() const { return {}; }
  // Returns when every state handed over is on disk of this rank: what resume() needs.
  virtual Settled settle() = 0;
  // Before the first write(): goes on where settle() has left files, and drops what was written after it.
  virtual void resume(Settled settled) = 0;
};

// Of an output that does not say that it can, that it cannot.
std::string why_no_restart(const Output& output);
// Of one that can.
Restartable& restartable(Output& output);

}  // namespace tradewind::outputs
