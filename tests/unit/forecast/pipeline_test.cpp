#include "worker/forecast/pipeline.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

using namespace tradewind;
using namespace tradewind::forecast;
using std::chrono::hours;

namespace {

// Lead times of what was handed on, in hours; values checked on the way.
struct Taken {
  std::vector<long> steps;
  Pipeline::Take take() {
    return [this](outputs::State state) {
      const long step = state.step / hours(1);
      CHECK(state.values.sizes() == at::IntArrayRef({2, 3}));  // (variables, rows)
      CHECK(state.values.is_contiguous());
      CHECK(at::equal(state.values, at::arange(6, at::kFloat).view({3, 2}).t() + step));
      steps.push_back(step);
    };
  }
};

void add(Pipeline& pipeline, long step) {
  outputs::State state;
  state.step = hours(step);
  pipeline.add(std::move(state), at::arange(6, at::kFloat).view({3, 2}) + step);
}

using Steps = std::vector<long>;

}  // namespace

TEST_CASE("on the CPU every state is handed on at once") {
  Taken taken;
  Pipeline pipeline(taken.take(), false);
  add(pipeline, 6);
  CHECK(taken.steps == Steps{6});
  add(pipeline, 12);
  CHECK(taken.steps == Steps{6, 12});
  pipeline.turn();
  pipeline.drain();
  CHECK(taken.steps == Steps{6, 12});
}

TEST_CASE("behind a device the states of a call are handed on while the next one runs, in order") {
  Taken taken;
  Pipeline pipeline(taken.take(), true);
  add(pipeline, 6);
  add(pipeline, 12);
  CHECK(taken.steps.empty());
  pipeline.turn();
  CHECK(taken.steps.empty());  // the next call is not queued yet
  add(pipeline, 18);
  pipeline.turn();
  CHECK(taken.steps == Steps{6, 12});
  pipeline.turn();  // a call without states
  CHECK(taken.steps == Steps{6, 12, 18});
  add(pipeline, 24);
  pipeline.turn();
  add(pipeline, 30);
  pipeline.drain();
  CHECK(taken.steps == Steps{6, 12, 18, 24, 30});
  pipeline.drain();
  CHECK(taken.steps.size() == 5);
}
