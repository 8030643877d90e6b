#include "worker/channel/channel_reporter.h"

#include <utility>

namespace tradewind::channel {

void ChannelReporter::leave_when_asked() {
  if (channel_.stop_requested()) throw Stopped();
}

void ChannelReporter::phase(report::Phase phase) {
  // Loading and reading leave much behind that is not needed again.
  if (phase != report::Phase::step) give_back_small_blocks();
  memory_.begin(report::name_of(phase));
  channel_.send(proto::Phase{report::name_of(phase)});
  // What is closing is whole already: let it get its final name.
  if (phase != report::Phase::close) leave_when_asked();
}

void ChannelReporter::step_done(const report::StepDone& step) {
  // The first leaves behind what is made once. Of long steps what encoding leaves goes, too: it takes milliseconds.
  constexpr double long_step = 1;  // seconds
  if (step.step == 1 || step.seconds >= long_step) give_back_small_blocks();
  memory_.sample();
  channel_.send(
      proto::Step{.step = step.step, .steps = step.steps, .valid_time = step.valid_time, .seconds = step.seconds});
  if (step.step < step.steps) leave_when_asked();
}

void ChannelReporter::note(const std::string& text) { channel_.send(proto::Note{text}); }
void ChannelReporter::warning(const std::string& text) { channel_.send(proto::Warning{text}); }
void ChannelReporter::finished(const report::Timings& timings, report::Json figures) {
  timings_ = timings;
  figures_ = std::move(figures);
}

proto::Finished ChannelReporter::result(int exit_code) {
  memory_.sample();
  figures_["memory"] = memory_.result();
  return {.exit_code = exit_code,
          .steps = timings_.steps,
          .seconds = {.load = timings_.load,
                      .input = timings_.input,
                      .first_step = timings_.first_step,
                      .step_median = timings_.step_median,
                      .output = timings_.output,
                      .total = timings_.total},
          .peak_rss_bytes = peak_resident_bytes(),
          .peak_device_bytes = timings_.peak_device_bytes,
          .figures = figures_};
}

}  // namespace tradewind::channel
