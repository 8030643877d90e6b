// What one call on raw tensors takes from its file beside x.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/archive/archive.h"
#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/forecast/recording_reporter.h"
#include "worker/device/device.h"
#include "worker/npz/npz.h"
#include "worker/runner/commands.h"

using namespace tradewind;

namespace {

using Arrays = std::vector<std::pair<std::string, at::Tensor>>;

const std::string golden = TRADEWIND_GOLDEN_DIR, ensemble = golden + "/legacy/0.9.3-ens-small-injector",
                  deterministic = golden + "/legacy/0.9.3-single-v2-twin";

at::Tensor reference(const std::string& folder, const std::string& name) {
  return npz::read(*archive::Archive::open(folder + "/reference.npz"), name);
}

// What comes of a file with these arrays, over so many ranks.
std::shared_ptr<const archive::Archive> predict(const std::string& folder, const Arrays& input,
                                                const test::TemporaryFolder& scratch, int world_size = 1) {
  const std::string in = scratch / "in.npz", out = scratch / "out.npz";
  npz::write(in, input);
  testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
    RecordingReporter reporter;
    runner::run_predict({folder + "/inference-last.ckpt", in, out, {}}, device::Device{}, communicator, reporter);
  });
  return archive::Archive::open(out);
}

std::string refusal(const std::string& folder, const Arrays& input, const test::TemporaryFolder& scratch) {
  try {
    predict(folder, input, scratch);
  } catch (const UserError& error) {
    return error.message() + " @ " + error.where();
  }
  return {};
}

const at::Tensor first = at::zeros({}, at::kDouble), later = at::ones({}, at::kDouble);

}  // namespace

TEST_CASE("the noise and the step of an ensemble's call") {
  const test::TemporaryFolder scratch;
  const at::Tensor x = reference(ensemble, "x"), noise = reference(ensemble, "noise");
  const auto both = predict(ensemble, {{"x", x}, {"noise", noise}, {"fcstep", first}}, scratch);
  const at::Tensor y = npz::read(*both, "y"), y1 = npz::read(*both, "y_fcstep1");
  CHECK_FALSE(at::equal(y, y1));
  const auto without = predict(ensemble, {{"x", x}, {"noise", noise}}, scratch);
  CHECK(at::equal(npz::read(*without, "y"), y));
  CHECK_FALSE(npz::holds(*without, "y_fcstep1"));
  const auto second = predict(ensemble, {{"x", x}, {"noise", noise}, {"fcstep", later * 7}}, scratch);
  CHECK(at::equal(npz::read(*second, "y"), y1));
  CHECK_FALSE(npz::holds(*second, "y_fcstep1"));
}

TEST_CASE("without noise it is that of seed 0, for every number of ranks; each sample has its own") {
  const test::TemporaryFolder scratch;
  const at::Tensor x = reference(ensemble, "x"), twice = at::cat({x, x});
  const at::Tensor drawn = npz::read(*predict(ensemble, {{"x", twice}}, scratch), "y");
  CHECK_FALSE(at::equal(drawn[0], drawn[1]));
  const at::Tensor over_ranks = npz::read(*predict(ensemble, {{"x", twice}}, scratch, 3), "y");
  CHECK(at::allclose(drawn, over_ranks, 1e-4, 1e-4));
  const at::Tensor noise = reference(ensemble, "noise");
  const at::Tensor same = npz::read(*predict(ensemble, {{"x", twice}, {"noise", noise}}, scratch), "y");
  CHECK(at::equal(same[0], same[1]));
  const at::Tensor apart =
      npz::read(*predict(ensemble, {{"x", twice}, {"noise", at::stack({noise, noise * 2})}}, scratch), "y");
  CHECK(at::equal(apart[0], same[0]));
  CHECK_FALSE(at::equal(apart[1], same[1]));
}

TEST_CASE("what a model does not take, or not so, is refused by name") {
  const test::TemporaryFolder scratch;
  const at::Tensor x = reference(ensemble, "x"), noise = reference(ensemble, "noise");
  const auto found = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(
      found(refusal(ensemble, {{"x", x}, {"noise", noise.narrow(1, 0, 3)}}, scratch), "noise has the shape (144, 3)"));
  CHECK(found(refusal(ensemble, {{"x", x}, {"noise", at::stack({noise, noise, noise})}}, scratch),
              "noise has the shape (3, 144, 4)"));
  CHECK(found(refusal(ensemble, {{"x", x}, {"fcstep", later * -1}}, scratch), "fcstep"));
  CHECK(found(refusal(ensemble, {{"x", x}, {"fcstep", at::zeros({2})}}, scratch), "fcstep has the shape (2)"));
  const at::Tensor other = reference(deterministic, "x");
  CHECK(found(refusal(deterministic, {{"x", other}, {"noise", noise}}, scratch), "the model takes no noise"));
  CHECK(found(refusal(deterministic, {{"x", other}, {"fcstep", first}}, scratch), "does not take the step"));
}
