// A dataset's states on their way out: post-processors, then the output. Counts the seconds that it holds the forecast
// up. Collective as the output is. Not thread-safe. Errors: those of filters and output.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "worker/dist/communicator.h"
#include "worker/filters/chain.h"
#include "worker/forecast/restart_point.h"
#include "worker/outputs/output.h"

namespace tradewind::forecast {

class Delivery {
 public:
  Delivery(std::unique_ptr<outputs::Output> output, filters::Chain filters, dist::Communicator& communicator);

  // Shows the output what will come, as the filters leave it; before the first deliver(), of a forecast that begins.
  // Returns warnings, the same on every rank.
  std::vector<std::string> prepare(outputs::Outlook outlook);

  // Every state of the forecast in order: filters see those that are not written too, a running sum must not skip any.
  void deliver(outputs::State state);
  // Returns when everything is on disk under its final name.
  void close();

  // Returns when every state so far is on disk: what resume() needs, which is to be called before the first deliver().
  void settle(DatasetPoint& point);
  void resume(DatasetPoint& point);
  // Why that is not possible; empty: it is.
  std::string why_no_restart() const;

  const outputs::Output& output() const { return *output_; }
  double seconds() const { return seconds_; }

 private:
  std::unique_ptr<outputs::Output> output_;
  filters::Chain filters_;
  dist::Communicator& communicator_;
  double seconds_ = 0;
};

}  // namespace tradewind::forecast
