// Filters of anemoi-transform on states: values by their formulas, names by the metadata, order as the reference's.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "worker/filters/transform.h"
#include "worker/npz/npy_header.h"

using namespace tradewind;
using namespace tradewind::filters;
using test::put_text;
using test::TemporaryFolder;
using Names = std::vector<std::string>;

namespace {

constexpr float gap = std::numeric_limits<float>::quiet_NaN();

const checkpoint::Metadata& metadata() {
  static const checkpoint::Metadata known = [] {
    checkpoint::Metadata made;
    for (const char* name : {"cos_mwd", "sin_mwd", "swh", "z", "lsm"}) made.variables[name].name = name;
    for (const int level : {500, 850}) {
      const std::string name = "t_" + std::to_string(level);
      made.variables[name].name = name;
      made.variables[name].mars = {{"param", "t"}, {"levtype", "pl"}, {"levelist", level}};
    }
    return made;
  }();
  return known;
}

fields::State state_of(const Names& variables, const at::Tensor& values) {
  fields::State state;
  state.step = std::chrono::hours(6);
  state.variables = variables;
  state.values = values;
  state.grid = std::make_shared<const fields::Grid>(fields::Grid{fields::Rows({values.size(1)}), nullptr});
  return state;
}

template <typename Direction = config::ForwardTransform>
TransformFilter filter(const config::TransformConfig& transform, bool skip_initial_state = false) {
  Direction config;
  config.transform = transform;
  config.skip_initial_state = skip_initial_state;
  config.at = {"post_processors.0", "c.yaml:1:1"};
  return {config, {metadata(), 0, {}}};
}

// The state after the filter; that it is described as it comes out.
fields::State after(TransformFilter filter, fields::State state) {
  const at::Tensor given = state.values, copy = given.clone();
  fields::State described = state;
  described.values = at::Tensor();
  filter.describe(described);
  filter.apply(state);
  CHECK(described.variables == state.variables);
  CHECK(at::equal(given.nan_to_num(-77), copy.nan_to_num(-77)));
  CHECK(state.values.size(0) == static_cast<std::int64_t>(state.variables.size()));
  return state;
}

}  // namespace

TEST_CASE("mean wave direction to cosine and sine and back") {
  const at::Tensor values =
      at::tensor({3.F, 3.F, 3.F, 3.F, 1.F, 0.F, -1.F, gap, 0.F, 1.F, 0.F, 0.F, 5.F, 5.F, 5.F, 5.F, 0.F, 0.F, 0.F, 0.F})
          .view({5, 4});
  const fields::State back = after(filter<config::BackwardTransform>(config::CosSinMeanWaveDirection{}),
                                   state_of({"t_500", "cos_mwd", "sin_mwd", "swh", "z"}, values));
  CHECK(back.variables == Names{"t_500", "swh", "z", "mwd"});
  CHECK(back.values[3][0].item<float>() == 0);
  CHECK(back.values[3][1].item<float>() == doctest::Approx(90));
  CHECK(back.values[3][2].item<float>() == doctest::Approx(180));
  CHECK(std::isnan(back.values[3][3].item<float>()));
  CHECK(at::equal(back.values[1], values[3]));
  const at::Tensor angles = at::tensor({0.F, 30.F, 200.F, 359.F}).view({1, 4});
  const fields::State forth = after(filter(config::CosSinMeanWaveDirection{}), state_of({"mwd"}, angles));
  CHECK(forth.variables == Names{"cos_mwd", "sin_mwd"});
  CHECK(forth.values[0][1].item<float>() == doctest::Approx(std::sqrt(3.0) / 2).epsilon(1e-6));
  CHECK(forth.values[1][2].item<float>() == doctest::Approx(std::sin(200 * M_PI / 180)).epsilon(1e-6));
  const fields::State again = after(filter<config::BackwardTransform>(config::CosSinMeanWaveDirection{}), forth);
  CHECK(at::allclose(again.values, angles, 1e-5, 1e-4));
  CHECK(after(filter<config::BackwardTransform>(config::CosSinMeanWaveDirection{}), state_of({"swh"}, angles))
            .variables == Names{"swh"});
  CHECK_THROWS_WITH_AS(filter<config::BackwardTransform>(config::CosSinMeanWaveDirection{})
                           .apply(*std::make_unique<fields::State>(state_of({"cos_mwd"}, angles))),
                       doctest::Contains("needs one field cos_mwd and one sin_mwd"), UserError);
}

TEST_CASE("fields by their parameter: on every level, and in float32") {
  const at::Tensor values = at::tensor({1.1F, gap, -3.F, 0.1F, 2.F, 7.F}).view({3, 2});
  const Names names = {"t_500", "t_850", "swh"};
  config::Rescale rescale;
  rescale.param = "t";
  rescale.scale = 0.3;
  rescale.offset = -2;
  const at::Tensor forth = after(filter(rescale), state_of(names, values)).values;
  CHECK(forth[0][0].item<float>() == 1.1F * 0.3F + -2.F);
  CHECK(forth[1][1].item<float>() == 0.1F * 0.3F + -2.F);
  CHECK(at::equal(forth[2], values[2]));
  const at::Tensor back = after(filter<config::BackwardTransform>(rescale), state_of(names, values)).values;
  CHECK(back[0][0].item<float>() == (1.1F - -2.F) / 0.3F);

  config::ImputeNans impute;
  impute.params = {"t"};
  impute.value = 9;
  CHECK(at::equal(after(filter(impute), state_of(names, values)).values[0], at::tensor({1.1F, 9.F})));

  config::Clip clip;
  clip.param = "t";
  clip.minimum = 0;
  clip.maximum = 1;
  const at::Tensor clipped = after(filter(clip), state_of(names, values)).values;
  CHECK(clipped[0][0].item<float>() == 1);
  CHECK(std::isnan(clipped[0][1].item<float>()));
  CHECK(at::equal(clipped[1], at::tensor({0.F, 0.1F})));
  CHECK(at::equal(clipped[2], values[2]));
}

TEST_CASE("fields under other names, and fields that go") {
  const at::Tensor values = at::tensor({1.1F, gap, -3.F, 0.1F, 2.F, 7.F}).view({3, 2});
  const Names names = {"t_500", "t_850", "swh"};
  config::Rename rename;
  rename.params = {{"t", "temperature"}, {"swh", "waves"}};
  fields::State summed = state_of(names, values);
  summed.start_steps["swh"] = Duration::zero();
  const fields::State renamed = after(filter(rename), summed);
  CHECK(renamed.variables == Names{"temperature_500", "temperature_850", "waves"});
  CHECK(renamed.start_steps.at("waves") == Duration::zero());
  CHECK(renamed.start_steps.size() == 1);
  rename.params = {{"swh", "z"}};
  CHECK_THROWS_WITH_AS(
      filter(rename).apply(*std::make_unique<fields::State>(state_of({"z", "swh"}, values.slice(0, 0, 2)))),
      doctest::Contains("two fields the name z"), UserError);

  const fields::State orography =
      after(filter(config::OrogToZ{}), state_of({"orog"}, at::tensor({100.F, 0.F}).view({1, 2})));
  CHECK(orography.variables == Names{"z"});
  CHECK(orography.values[0][0].item<float>() == 100.F * 9.80665F);
  config::OrogToZ to_metres;
  to_metres.reversed = true;
  const fields::State metres = after(filter(to_metres), state_of({"z"}, at::tensor({100.F, 0.F}).view({1, 2})));
  CHECK(metres.variables == Names{"orog"});
  CHECK(metres.values[0][0].item<float>() == 100.F / 9.80665F);
  CHECK(after(filter(config::Noop{}), state_of(names, values)).variables == names);

  config::Drop drop;
  drop.levels = {"850"};
  CHECK(after(filter(drop), state_of(names, values)).variables == Names{"t_500", "swh"});
  drop.params = {"t", "swh"};
  CHECK(after(filter(drop), state_of(names, values)).variables == Names{"t_500", "swh"});
  drop.levels.clear();
  CHECK(after(filter(drop), state_of(names, values)).variables.empty());
}

TEST_CASE("not at step 0 where that is asked for") {
  const at::Tensor values = at::tensor({1.1F, gap, -3.F, 0.1F, 2.F, 7.F}).view({3, 2});
  const Names names = {"t_500", "t_850", "swh"};
  config::Clip clip;
  clip.param = "t";
  clip.minimum = 0;
  fields::State initial = state_of(names, values);
  initial.step = Duration::zero();
  CHECK(at::equal(after(filter(clip, true), initial).values[2], values[2]));
  CHECK(after(filter(clip, true), initial).values[1][0].item<float>() == -3);
  CHECK(after(filter(clip, false), initial).values[1][0].item<float>() == 0);
}

TEST_CASE("a mask of a file or of a field") {
  const TemporaryFolder folder;
  const std::string file = folder / "lsm.npy";
  std::string bytes = npz::make_npy_header({.type = "<f4", .shape = {2, 2}});
  for (const float value : {0.F, 0.4F, 0.5F, 1.F}) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  put_text(file, bytes);
  const at::Tensor values = at::arange(8, at::kFloat).view({2, 4});
  config::ApplyMask mask;
  mask.path = file;
  mask.threshold = 0.5;
  mask.comparison = "<=";
  const auto missing = [](const at::Tensor& field) {
    std::string text;
    for (std::int64_t i = 0; i < field.numel(); ++i) text += std::isnan(field[i].item<float>()) ? 'n' : '.';
    return text;
  };
  fields::State masked = after(filter(mask), state_of({"swh", "t_500"}, values));
  CHECK(missing(masked.values[0]) == "nnn.");
  CHECK(missing(masked.values[1]) == "nnn.");
  mask.threshold.reset();
  mask.value = 0.4;  // as a number of the array's type
  mask.params = {"t"};
  mask.suffix = "land";
  masked = after(filter(mask), state_of({"swh", "t_500"}, values));
  CHECK(masked.variables == Names{"swh", "t_land_500"});
  CHECK(missing(masked.values[0]) == "....");
  CHECK(missing(masked.values[1]) == ".n..");
  mask.path.reset();
  mask.suffix.reset();
  mask.params.clear();
  mask.field = "lsm";
  mask.value = 4;
  masked = after(filter(mask), state_of({"swh", "lsm"}, values));
  CHECK(masked.variables == Names{"swh"});
  CHECK(missing(masked.values[0]) == "n...");
  mask.keeps_mask = true;
  masked = after(filter(mask), state_of({"swh", "lsm"}, values));
  CHECK(masked.variables == Names{"swh", "lsm"});
  CHECK(missing(masked.values[1]) == "n...");
  CHECK_THROWS_WITH_AS(filter(mask).apply(*std::make_unique<fields::State>(state_of({"swh"}, values.slice(0, 0, 1)))),
                       doctest::Contains("the mask's field lsm is not there"), UserError);
  mask.field.reset();
  mask.of_itself = true;
  mask.keeps_mask = false;
  mask.params = {"t"};
  mask.value = 6;
  masked = after(filter(mask), state_of({"swh", "t_500"}, values));
  CHECK(missing(masked.values[0]) == "....");
  CHECK(missing(masked.values[1]) == "..n.");
  mask.of_itself = false;
  mask.path = file;
  CHECK_THROWS_WITH_AS(
      filter(mask).apply(*std::make_unique<fields::State>(state_of({"swh"}, values.slice(0, 0, 1).slice(1, 0, 3)))),
      doctest::Contains("is of 4 points, the fields have 3"), UserError);
}
