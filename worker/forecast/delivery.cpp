#include "worker/forecast/delivery.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "common/stopwatch.h"
#include "worker/outputs/restartable.h"

namespace tradewind::forecast {

Delivery::Delivery(std::unique_ptr<outputs::Output> output, filters::Chain filters, dist::Communicator& communicator)
    : output_(std::move(output)), filters_(std::move(filters)), communicator_(communicator) {}

std::vector<std::string> Delivery::prepare(outputs::Outlook outlook) {
  filters_.describe(outlook);
  return output_->prepare(outlook);
}

void Delivery::deliver(outputs::State state) {
  const Stopwatch watch;
  filters_.apply(state);
  if (output_->wants(state.step)) {
    communicator_.observer().entering("output");
    output_->write(state);
  }
  seconds_ += watch.seconds();
}

void Delivery::close() {
  const Stopwatch watch;
  output_->close();
  seconds_ += watch.seconds();
}

// What the filters here keep comes before that of the output's own.
void Delivery::settle(DatasetPoint& point) {
  const Stopwatch watch;
  outputs::Settled settled = outputs::restartable(*output_).settle();
  point.output = std::move(settled.told);
  point.sums = filters_.kept();
  for (auto& own : settled.kept) point.sums.push_back(std::move(own));
  seconds_ += watch.seconds();
}

void Delivery::resume(DatasetPoint& point) {
  const auto own = point.sums.begin() + static_cast<std::ptrdiff_t>(std::min(filters_.size(), point.sums.size()));
  outputs::restartable(*output_).resume(
      {point.output, {std::make_move_iterator(own), std::make_move_iterator(point.sums.end())}});
  point.sums.erase(own, point.sums.end());
  filters_.take_up(std::move(point.sums));
}

std::string Delivery::why_no_restart() const {
  const std::string why = filters_.why_no_restart();
  return why.empty() ? outputs::why_no_restart(*output_) : why;
}

}  // namespace tradewind::forecast
