#include "worker/runner/kept_points.h"

#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/forecast/fakes.h"
#include "tests/unit/forecast/recording_reporter.h"
#include "worker/forecast/random_numbers.h"

using namespace tradewind;
using namespace tradewind::runner;
using namespace tradewind::testing;

namespace {

struct Fake {
  Fake(Record& record, dist::Communicator& communicator, std::unique_ptr<outputs::Output> output = nullptr)
      : model({7}, 1, communicator) {
    auto parts = fake_parts(7, record, communicator, reporter);
    if (output)
      parts.delivery = std::make_unique<forecast::Delivery>(
          std::move(output), filters::Chain({}, {fake_described(), communicator.rank()}), communicator);
    std::vector<forecast::DatasetRun> datasets;
    datasets.emplace_back(std::move(parts), at::kCPU);
    run.emplace(forecast::Plan(fake_date, hours(18), hours(6), {fake_steps(1)}), model, std::move(datasets),
                forecast::random_numbers(1));
  }
  RecordingReporter reporter;
  FakeModel model;
  std::optional<forecast::Forecast> run;
};

Restart restart_in(const test::TemporaryFolder& folder, bool resume) {
  return {.folder = folder / "d/restart", .resume = resume, .run_id = "a", .config = "b"};
}

}  // namespace

TEST_CASE("without a restart folder nothing is kept, and the forecast begins") {
  const auto communicator = dist::make_single_communicator();
  Record record;
  Fake fake(record, *communicator);
  KeptPoints kept({}, "c", *communicator);
  kept.begin(*fake.run, fake.reporter);
  CHECK(fake.reporter.warnings == std::vector<std::string>{"a warning"});
  (void)fake.run->next();
  kept.keep(*fake.run);
  kept.remove();
  CHECK(kept.seconds() == 0);
  CHECK(record.events == std::vector<std::string>{"prepare 4", "write 0", "write 6"});
}

TEST_CASE("a further attempt goes on after the newest point and says so once; without one it begins") {
  const test::TemporaryFolder folder;
  std::vector<Record> records(2);
  run_ranks(2, [&](dist::Communicator& communicator) {
    Record& record = records[static_cast<std::size_t>(communicator.rank())];
    const auto attempt = [&](const std::string& note, int calls) {
      Fake fake(record, communicator);
      KeptPoints kept(restart_in(folder, true), "c", communicator);
      kept.begin(*fake.run, fake.reporter);
      CHECK(fake.reporter.notes ==
            (note.empty() || communicator.rank() != 0 ? std::vector<std::string>() : std::vector<std::string>{note}));
      for (int call = 0; call < calls; ++call) {
        (void)fake.run->next();
        kept.keep(*fake.run);
      }
      CHECK(kept.seconds() > 0);
      communicator.barrier("attempt");
    };
    attempt("", 1);
    attempt("goes on after step 1", 1);
    attempt("goes on after step 2", 1);
    KeptPoints(restart_in(folder, true), "c", communicator).remove();
    communicator.barrier("removed");
  });
  CHECK(records[0].events == std::vector<std::string>{"prepare 4", "write 0", "write 6", "settle", "resume 2",
                                                      "write 12", "settle", "resume 3", "write 18", "settle"});
  CHECK_FALSE(std::filesystem::exists(folder / "d/restart"));
}

TEST_CASE("what cannot be gone on with is refused by name") {
  class Silent : public outputs::Output {
   public:
    bool wants(Duration) const override { return true; }
    void write(const outputs::State&) override {}
    void close() override {}
  };
  class Keeping : public nn::Model {
   public:
    dist::RowRange rows(std::size_t) const override { return {}; }
    std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const nn::StepContext&) override { return x; }
  };
  const auto communicator = dist::make_single_communicator();
  Record record;
  const Fake able(record, *communicator), unable(record, *communicator, std::make_unique<Silent>());
  CHECK_NOTHROW(require_restartable(*able.run, able.model, "r"));
  CHECK_THROWS_WITH_AS(require_restartable(*unable.run, unable.model, "r"),
                       doctest::Contains("does not say that it can be gone on with"), UserError);
  CHECK_THROWS_WITH_AS(require_restartable(*able.run, Keeping(), "r"), doctest::Contains("the runner 'r' may keep"),
                       UserError);
}
