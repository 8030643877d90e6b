#include "worker/forecast/figures.h"

#include <algorithm>

namespace tradewind::forecast {
namespace {

double output_seconds(const dist::Statistics& statistics) {
  const dist::TrafficTable phases = statistics.by_phase();
  const auto found = phases.find("output");
  return found == phases.end() ? 0 : found->second.seconds;
}

}  // namespace

Figures::Mark Figures::mark() const {
  const dist::Statistics& statistics = communicator_.statistics();
  const dist::Traffic total = statistics.total();
  return {total.seconds - output_seconds(statistics), total.bytes_sent};
}

void Figures::begin_steps() { begin_ = mark(); }

void Figures::end_steps(double seconds, int steps) {
  computing_ = std::max(0.0, seconds - (mark().seconds - begin_.seconds));
  steps_ = steps;
}

void Figures::output(double seconds, const outputs::OutputFigures& figures) {
  writing_ = std::max(0.0, seconds - output_seconds(communicator_.statistics()) - figures.blocked_seconds);
  output_ = figures;
}

nlohmann::ordered_json Figures::result(std::int64_t rows) {
  using Json = nlohmann::ordered_json;
  // Before the exchange that settles the waits adds its own.
  const std::int64_t sent = communicator_.statistics().total().bytes_sent - begin_.bytes_sent;
  communicator_.settle_waits();
  Json halo = Json::object(), traffic = Json::object();
  for (const auto& [phase, counts] : communicator_.statistics().rows()) {
    halo[phase] = {{"own", counts.own}, {"halo", counts.halo}};
  }
  for (const auto& [phase, one] : communicator_.statistics().by_phase()) {
    traffic[phase] = {{"calls", one.calls},
                      {"bytes_sent", one.bytes_sent},
                      {"bytes_received", one.bytes_received},
                      {"seconds", one.seconds},
                      {"waiting", one.waiting}};
  }
  const dist::Traffic total = communicator_.statistics().total();
  return {{"rows", rows},
          {"halo_rows", halo},
          {"traffic", traffic},
          {"bytes_sent_per_step", steps_ > 0 ? sent / steps_ : 0},
          {"seconds",
           {{"computing", computing_},
            {"communicating", total.seconds - total.waiting},
            {"waiting", total.waiting + output_.blocked_seconds},
            {"writing", writing_}}},
          {"output",
           {{"bytes", output_.bytes},
            {"encoding_seconds", output_.encoding_seconds},
            {"file_seconds", output_.file_seconds},
            {"waiting_seconds", output_.blocked_seconds},
            {"most_pending_bytes", output_.most_pending_bytes},
            {"pending_limit_bytes", output_.pending_limit_bytes}}}};
}

}  // namespace tradewind::forecast
