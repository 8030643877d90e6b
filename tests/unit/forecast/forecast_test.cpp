// Whole forecasts of a model of a line: against a loop over the whole grid, by several ranks, over several datasets,
// interrupted and gone on with.
#include "worker/forecast/forecast.h"

#include <doctest/doctest.h>

#include <functional>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/forecast/fakes.h"
#include "tests/unit/forecast/recording_reporter.h"
#include "worker/forecast/random_numbers.h"

using namespace tradewind;
using namespace tradewind::forecast;
using namespace tradewind::testing;

namespace {

constexpr std::int64_t seed = 17;

// What `outputs` of all ranks were given, put together: (states, variables, points) of those with the model's
// variables.
at::Tensor whole(const std::vector<Record>& records) {
  std::vector<at::Tensor> states;
  for (std::size_t i = 1; i < records.front().states.size(); ++i) {
    std::vector<at::Tensor> parts;
    for (const Record& record : records) parts.push_back(record.states.at(i).values);
    states.push_back(at::cat(parts, 1));
  }
  return at::stack(states);
}

// The same by its definition, over the whole grid. (states, variables, points)
at::Tensor expected(std::int64_t points, int states, std::int64_t output_steps, const std::vector<double>& mask = {}) {
  at::Generator random = random_numbers(seed);
  FakeInput input(points);
  const auto at_time = [&](const std::string& name, Time time) {
    return input.read({name}, {time}, {0, points}).view({points});
  };
  at::Tensor before = at_time("a", fake_date - hours(6)), latest = at_time("a", fake_date);
  std::vector<at::Tensor> all;
  for (int state = 0; state < states; ++state) {
    const at::Tensor now = before + latest;
    const Time newest = fake_date + hours(6 * output_steps) * (state / output_steps);
    const at::Tensor local_time =
        make_computed({{"cos_local_time"}, {2}}, *input.grid_points(points), {0, points})(newest);
    all.push_back(at::stack({now, at_time("f", newest), local_time[0], at::randn({points}, random, at::kFloat)}));
    before = latest;
    latest = now;
    if (mask.empty() || (state + 1) % output_steps != 0) continue;
    // What the next call begins with.
    const at::Tensor own = at::tensor(mask) != 0;
    const Time valid = fake_date + hours(6 * (state + 1));
    latest = at::where(own, latest, at_time("a", valid));
    if (output_steps > 1) before = at::where(own, before, at_time("a", valid - hours(6)));
  }
  return at::stack(all);
}

struct Setup {
  std::vector<std::int64_t> points = {7};
  std::int64_t output_steps = 1;
  Duration lead_time = hours(30);
  std::map<std::size_t, bool> only_read;
  std::vector<double> mask = {};  // of the first dataset's points; empty: none
};

// Records of each dataset, of one rank. `drive` makes the steps.
using Records = std::vector<Record>;
void run_one(const Setup& setup, dist::Communicator& communicator, Records& records, std::int64_t with_seed,
             const std::function<void(Forecast&, FakeModel&)>& drive) {
  RecordingReporter reporter;
  FakeModel model(setup.points, setup.output_steps, communicator);
  model.only_read = setup.only_read;
  std::vector<DatasetRun> datasets;
  for (std::size_t i = 0; i < setup.points.size(); ++i) {
    DatasetParts parts = fake_parts(setup.points[i], records[i], communicator, reporter);
    if (i == 0 && !setup.mask.empty())
      parts.boundary.emplace(parts.dynamic, setup.mask, parts.shards.range(communicator.rank()));
    if (setup.only_read.contains(i)) {
      parts.output_variables.clear();
      parts.prognostic_columns.clear();
    }
    datasets.emplace_back(std::move(parts), at::kCPU);
  }
  Forecast forecast(Plan(fake_date, setup.lead_time, hours(6) * setup.output_steps,
                         {setup.points.size(), fake_steps(setup.output_steps)}),
                    model, std::move(datasets), random_numbers(with_seed));
  drive(forecast, model);
}

void to_the_end(Forecast& forecast) {
  while (!forecast.done()) (void)forecast.next();
  forecast.close();
}

// Three windows between inputs, the run interrupted in the second and taken up again; what this rank's output was
// given.
Record windows_with_interruption(std::int64_t points, dist::Communicator& communicator) {
  RecordingReporter reporter;
  checkpoint::Checkpoint checkpoint = fake_checkpoint();
  checkpoint::Metadata& metadata = checkpoint.metadata.front();
  metadata.time.input_offsets = {hours(0), hours(6)};
  metadata.time.between_inputs = true;
  const auto input = std::make_shared<FakeInput>(points);
  const Sources sources{input, input, input};
  const Roles roles = assign_roles(metadata);
  const InitialRequest request{.sources = sources,
                               .checkpoint = checkpoint,
                               .metadata = metadata,
                               .roles = roles,
                               .date = fake_date,
                               .shards = dist::Shards(points, communicator.size()),
                               .allow_nans = std::nullopt};
  FakeModel model({points}, 1, communicator);
  Record record;
  const auto drive = [&](const std::function<void(Forecast&)>& steps) {
    DatasetParts parts = fake_parts(points, record, communicator, reporter, {}, hours(2));
    parts.initial = read_initial_state(request, communicator, reporter);
    parts.initial_categories = {"prognostics"};
    parts.output_order = {1, 0, 2, 3};
    parts.reread = [&, grid = parts.initial.points](Time start) {
      return read_window(request, start, *grid, communicator);
    };
    std::vector<DatasetRun> datasets;
    datasets.emplace_back(std::move(parts), at::kCPU);
    Forecast forecast(Plan::of_windows(fake_date, hours(20), hours(6), {{{hours(0), hours(6)}, {hours(2)}, {{}, {}}}}),
                      model, std::move(datasets), random_numbers(seed));
    steps(forecast);
  };
  std::optional<RestartPoint> point;
  drive([&](Forecast& forecast) {
    (void)forecast.begin();
    (void)forecast.next();
    point = forecast.point();
    (void)forecast.next();
  });
  drive([&](Forecast& forecast) {
    forecast.resume(std::move(*point));
    to_the_end(forecast);
  });
  for (const nn::StepContext& context : model.contexts) CHECK(context.call == 0);
  return record;
}

}  // namespace

TEST_CASE("a forecast is what its definition says, by one rank and several, with one output step and two") {
  for (const std::int64_t output_steps : {1, 2}) {
    for (const int ranks : {1, 2, 3}) {
      CAPTURE(output_steps);
      CAPTURE(ranks);
      std::vector<Record> records(static_cast<std::size_t>(ranks));
      run_ranks(ranks, [&](dist::Communicator& communicator) {
        Records own(1);
        run_one({.output_steps = output_steps}, communicator, own, seed, [&](Forecast& forecast, FakeModel& model) {
          CHECK(forecast.begin() == std::vector<std::string>{"a warning"});
          to_the_end(forecast);
          CHECK(forecast.plan().calls() == (output_steps == 1 ? 5 : 3));
          REQUIRE(model.contexts.size() == static_cast<std::size_t>(forecast.plan().calls()));
          for (std::size_t i = 0; i < model.contexts.size(); ++i) {
            CHECK(model.contexts[i].call == static_cast<int>(i));
            CHECK(model.contexts[i].valid_time == fake_date + hours(6 * output_steps) * static_cast<long>(i));
          }
          CHECK(forecast.output_figures().bytes == 100);
          CHECK(forecast.files() == std::vector<std::string>{"a file"});
        });
        records[static_cast<std::size_t>(communicator.rank())] = own[0];
      });
      CHECK(records[0].events == std::vector<std::string>{"prepare 6", "write 0", "write 6", "write 12", "write 18",
                                                          "write 24", "write 30", "close"});
      CHECK(at::equal(whole(records), expected(7, 5, output_steps)));
    }
  }
}

TEST_CASE("around a limited area each call begins with what the input has at that time") {
  const std::vector<double> mask = {0, 1, 1, 0, 1, 1, 0};
  for (const std::int64_t output_steps : {1, 2}) {
    for (const int ranks : {1, 2, 3}) {
      CAPTURE(output_steps);
      CAPTURE(ranks);
      std::vector<Record> records(static_cast<std::size_t>(ranks));
      run_ranks(ranks, [&](dist::Communicator& communicator) {
        Records own(1);
        run_one({.output_steps = output_steps, .mask = mask}, communicator, own, seed,
                [&](Forecast& forecast, FakeModel&) {
                  (void)forecast.begin();
                  to_the_end(forecast);
                });
        records[static_cast<std::size_t>(communicator.rank())] = own[0];
      });
      CHECK(at::equal(whole(records), expected(7, 5, output_steps, mask)));
    }
  }
  CHECK_FALSE(at::equal(expected(7, 5, 1, mask), expected(7, 5, 1)));
  CHECK(Boundary(nullptr, {1, 1}, {0, 1}).empty());
  CHECK_FALSE(Boundary(nullptr, {1, 0}, {0, 1}).empty());  // of another rank
}

TEST_CASE("several datasets on grids of their own go their way together; one that is only read writes step 0") {
  for (const int ranks : {1, 3}) {
    std::vector<std::vector<Record>> records(3, std::vector<Record>(static_cast<std::size_t>(ranks)));
    run_ranks(ranks, [&](dist::Communicator& communicator) {
      Records own(3);
      run_one({.points = {7, 5, 4}, .only_read = {{2, true}}}, communicator, own, seed,
              [](Forecast& forecast, FakeModel&) {
                CHECK(forecast.begin().size() == 3);
                to_the_end(forecast);
                CHECK(forecast.output_figures().bytes == 300);
                CHECK(forecast.output_figures().most_pending_bytes == 21);
                CHECK(forecast.files().size() == 3);
              });
      for (std::size_t i = 0; i < 3; ++i) records[i][static_cast<std::size_t>(communicator.rank())] = own[i];
    });
    for (const std::size_t i : {0, 1}) {
      const std::int64_t points = i == 0 ? 7 : 5;
      // All but the noise, whose draws the datasets share.
      CHECK(at::equal(whole(records[i]).narrow(1, 0, 3), expected(points, 5, 1).narrow(1, 0, 3)));
    }
    CHECK(records[2][0].events == std::vector<std::string>{"prepare 1", "write 0", "close"});
  }
}

TEST_CASE("a forecast that draws random numbers, interrupted and gone on with, is the undisturbed one") {
  for (const int ranks : {1, 2, 3}) {
    for (const int interrupted_after : {1, 3}) {
      CAPTURE(ranks);
      CAPTURE(interrupted_after);
      const test::TemporaryFolder folder;
      std::vector<Record> records(static_cast<std::size_t>(ranks));
      const RunIdentity identity{.run = "a", .config = "b", .checkpoint = "c"};
      run_ranks(ranks, [&](dist::Communicator& communicator) {
        Records own(1);
        const auto points = [&](bool keep) { return RestartPoints(folder / "restart", keep, identity, communicator); };
        run_one({}, communicator, own, seed, [&](Forecast& forecast, FakeModel&) {
          RestartPoints kept = points(false);
          (void)forecast.begin();
          for (int call = 0; call < interrupted_after; ++call) {
            (void)forecast.next();
            kept.write(forecast.point());
          }
          (void)forecast.next();  // of which nothing is kept
        });
        communicator.barrier("interrupted");
        // The further attempt has drawn another seed.
        run_one({}, communicator, own, seed + 1, [&](Forecast& forecast, FakeModel& model) {
          auto point = points(true).read(forecast.restart_shape());
          REQUIRE(point);
          CHECK(point->calls == interrupted_after);
          forecast.resume(std::move(*point));
          to_the_end(forecast);
          CHECK(model.contexts.front().call == interrupted_after);
        });
        records[static_cast<std::size_t>(communicator.rank())] = own[0];
      });
      CHECK(records[0].states.size() == 6);
      CHECK(at::equal(whole(records), expected(7, 5, 1)));
    }
  }
}

TEST_CASE("of windows between inputs each call reads its own, also after an interruption") {
  const std::int64_t points = 7;
  FakeInput input(points);
  const auto at_time = [&](const std::string& name, Time time) {
    return input.read({name}, {time}, {0, points}).view({points});
  };
  for (const int ranks : {1, 2, 3}) {
    CAPTURE(ranks);
    std::vector<Record> records(static_cast<std::size_t>(ranks));
    run_ranks(ranks, [&](dist::Communicator& communicator) {
      records[static_cast<std::size_t>(communicator.rank())] = windows_with_interruption(points, communicator);
    });
    REQUIRE(records[0].states.size() == 4);
    const outputs::State& first = records[0].states[0];
    CHECK(first.variables == std::vector<std::string>{"a"});
    CHECK(at::equal(first.values[0], at_time("a", fake_date).slice(0, 0, first.values.size(1))));
    const at::Tensor all = whole(records);
    for (int window = 0; window < 3; ++window) {
      CAPTURE(window);
      const Time start = fake_date + hours(6 * window), end = start + hours(6);
      const outputs::State& state = records[0].states[static_cast<std::size_t>(window) + 1];
      CHECK(state.step == hours(6 * window + 2));
      CHECK(state.variables == std::vector<std::string>{"f seen", "a", "time seen", "noise"});
      CHECK(at::equal(all[window][1], at_time("a", start) + at_time("a", end)));
      CHECK(at::equal(all[window][0], at_time("f", end)));
    }
  }
}

TEST_CASE("without a lead time there is step 0 alone") {
  const auto communicator = dist::make_single_communicator();
  Records own(1);
  run_one({.lead_time = hours(0)}, *communicator, own, seed, [](Forecast& forecast, FakeModel& model) {
    (void)forecast.begin();
    CHECK(forecast.done());
    to_the_end(forecast);
    CHECK(model.contexts.empty());
  });
  CHECK(own[0].events == std::vector<std::string>{"prepare 1", "write 0", "close"});
}

TEST_CASE("a plan for other datasets than there are is a fault of ours") {
  const auto communicator = dist::make_single_communicator();
  FakeModel model({7}, 1, *communicator);
  CHECK_THROWS_AS(Forecast(Plan(fake_date, hours(6), hours(6), {fake_steps(1)}), model, {}, {}), InternalFault);
}
