#include "worker/forecast/forecast.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/stopwatch.h"
#include "worker/forecast/figures.h"
#include "worker/forecast/step_times.h"
#include "worker/runner/checkpoint_check.h"
#include "worker/runner/commands.h"
#include "worker/runner/kept_points.h"
#include "worker/runner/open_forecast.h"

namespace tradewind::runner {
namespace {

forecast::StepTimes make_steps(forecast::Forecast& forecast, KeptPoints& kept, CheckpointCheck& check,
                               report::Reporter& reporter) {
  forecast::StepTimes times;
  const auto output_seconds = [&] { return forecast.output_seconds() + kept.seconds(); };
  while (!forecast.done()) {
    reporter.phase(times.empty() ? report::Phase::first_step : report::Phase::step);
    const Stopwatch watch;
    const double before = output_seconds();
    const forecast::Call call = forecast.next();
    if (!call.last) kept.keep(forecast);
    check.look();
    const double seconds = watch.seconds();
    times.add(seconds, output_seconds() - before);
    reporter.step_done({call.number + 1, forecast.plan().calls(), forecast.plan().valid(call.end), seconds});
  }
  return times;
}

// Of this rank, of all grids.
std::int64_t rows_of(const forecast::Forecast& forecast) {
  std::int64_t rows = 0;
  for (const forecast::DatasetRun& dataset : forecast.datasets()) rows += dataset.rows().size();
  return rows;
}

// For the report, and for the end of what the user sees.
void name_files(std::vector<std::string> files, report::Json& figures) {
  constexpr std::size_t most_named = 1000;
  figures["file_count"] = files.size();
  files.resize(std::min(files.size(), most_named));
  figures["files"] = files;
}

}  // namespace

void run_forecast(const config::RunConfig& config, const Settings& settings, const device::Device& device,
                  dist::Communicator& communicator, report::Reporter& reporter, const Restart& restart,
                  const outputs::GivenStreams& streams) {
  const Stopwatch total;
  report::Timings timings;
  reporter.phase(report::Phase::load);
  const Opened opened = open_model(config, settings, device, communicator, reporter);
  CheckpointCheck check(opened.checkpoint->archive, communicator, reporter);
  timings.load = total.seconds();

  reporter.phase(report::Phase::input);
  std::vector<Beginning> beginning = read_beginning(config, opened, communicator, reporter);
  timings.input = total.seconds() - timings.load;

  forecast::Forecast forecast = open_forecast(config, opened, std::move(beginning), streams, communicator);
  for (const forecast::DatasetRun& dataset : forecast.datasets())
    if (const std::string caution = dataset.delivery().output().caution(); !caution.empty()) reporter.warning(caution);
  if (!restart.folder.empty()) require_restartable(forecast, *opened.model, config.runner.name);
  KeptPoints kept(restart, opened.checkpoint->archive->fingerprint(), communicator);
  kept.begin(forecast, reporter);
  forecast::Figures figures(communicator);
  figures.begin_steps();
  const forecast::StepTimes times = make_steps(forecast, kept, check, reporter);
  figures.end_steps(times.sum(), times.count());

  reporter.phase(report::Phase::close);
  check.finish();
  forecast.close();
  kept.remove();

  timings.output = forecast.output_seconds() + kept.seconds();
  timings.steps = forecast.plan().calls();
  timings.first_step = times.first();
  timings.step_median = times.median();
  timings.total = total.seconds();
  timings.peak_device_bytes = device.peak_bytes().value_or(0);
  figures.output(timings.output, forecast.output_figures());
  report::Json result = figures.result(rows_of(forecast));
  if (communicator.rank() == 0) name_files(forecast.files(), result["output"]);
  reporter.finished(timings, std::move(result));
}

}  // namespace tradewind::runner
