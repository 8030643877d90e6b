// Steps of pre-processing and boundings against formulas written out value by value.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "common/errors.h"
#include "worker/preprocess/bounding.h"
#include "worker/preprocess/mapping.h"
#include "worker/preprocess/preprocessing.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

const double na = std::nan("");

at::Tensor column(const std::vector<double>& values) { return at::tensor(values, at::kDouble).to(at::kFloat); }

// Same values, and NaN in the same places.
bool equal(const at::Tensor& ours, const std::vector<double>& expected, double tolerance = 1e-6) {
  const at::Tensor wanted = at::tensor(expected, at::kDouble).view_as(ours);
  const bool same = at::allclose(ours.to(at::kDouble), wanted, tolerance, tolerance, true);
  if (!same) MESSAGE(ours << " instead of " << wanted);
  return same;
}

std::vector<double> bounded(const BoundingDescription& description, const std::vector<double>& values) {
  at::Tensor rows = at::stack({column(values), at::full({static_cast<std::int64_t>(values.size())}, 3.0)}, 1);
  preprocess::Bounding(description, 2)(rows);
  CHECK(rows.select(1, 1).eq(3).all().item<bool>());
  const at::Tensor result = rows.select(1, 0).to(at::kDouble).contiguous();
  return {result.const_data_ptr<double>(), result.const_data_ptr<double>() + result.numel()};
}

at::Tensor mapped(const RemappedColumn& column_given, const std::vector<double>& values) {
  at::Tensor x = column(values);
  preprocess::map_forward(column_given, x);
  return x;
}
at::Tensor mapped_back(const RemappedColumn& column_given, const std::vector<double>& values) {
  at::Tensor x = column(values);
  preprocess::map_back(column_given, x);
  return x;
}

RemappedColumn remapped(Mapping mapping, double parameter = 1) {
  RemappedColumn out;
  out.input = 0;
  out.mapping = mapping;
  out.parameter = parameter;
  return out;
}

}  // namespace

TEST_CASE("boundings, with and without slope and threshold; missing values stay") {
  const std::vector<double> x = {-2, 0, 0.5, 4, na};
  CHECK(equal(column(bounded(ReluBoundingDescription{{0}, {}, 0}, x)), {0, 0, 0.5, 4, na}));
  CHECK(equal(column(bounded(ReluBoundingDescription{{0}, {}, 0.01}, x)), {-0.02, 0, 0.5, 4, na}));
  CHECK(equal(column(bounded(ReluBoundingDescription{{0}, {0.5F}, 0}, x)), {0.5, 0.5, 0.5, 4, na}));
  CHECK(equal(column(bounded(ReluBoundingDescription{{0}, {0.5F}, 0.01}, x)), {0.475, 0.495, 0.5, 4, na}));
  CHECK(equal(column(bounded(HardtanhBoundingDescription{{0}, 0.2, 0.6, 0, {}}, x)), {0.2, 0.2, 0.5, 0.6, na}));
  CHECK(equal(column(bounded(HardtanhBoundingDescription{{0}, 0.2, 0.6, 0.01, {}}, x)),
              {0.2 - 0.022, 0.2 - 0.002, 0.5, 0.6 + 0.034, na}));
  CHECK(equal(column(bounded(HardtanhBoundingDescription{{0}, 0, 1, 0, 1}, x)), {0, 0, 1.5, 3, na}));
  CHECK(equal(column(bounded(HardtanhBoundingDescription{{0}, 0, 1, 0.01, 1}, x)), {-0.06, 0, 1.5, 3.09, na}));
  CHECK_THROWS_AS(preprocess::Bounding(ReluBoundingDescription{{2}, {}, 0}, 2), UserError);
  CHECK_THROWS_AS(preprocess::Bounding(HardtanhBoundingDescription{{0}, 0, 1, 0, 2}, 2), UserError);
}

TEST_CASE("boundings of several columns in another order than the rows'") {
  at::Tensor rows = at::tensor({-1.0F, -2.0F, -3.0F, 1.0F, 2.0F, 3.0F}).view({2, 3});
  preprocess::Bounding(ReluBoundingDescription{{2, 0}, {-2.5F, 2}, 0}, 3)(rows);
  CHECK(equal(rows.flatten(), {2, -2, -2.5, 2, 2, 3}));
}

TEST_CASE("remappings and their inverses") {
  RemappedColumn affine = remapped(Mapping::affine, 4);
  affine.shift = 1;
  CHECK(equal(mapped(affine, {-1, 0.5}), {-3, 3}));
  CHECK(equal(mapped_back(affine, {-3, 3}), {-1, 0.5}));

  RemappedColumn atoms = remapped(Mapping::atoms);
  atoms.lower_atom = 0;
  atoms.lower_target = -1;
  atoms.upper_atom = 1;
  atoms.upper_target = 1.5;
  atoms.epsilon = 0.01;
  CHECK(equal(mapped(atoms, {0.005, 0.5, 0.995, na}), {-1, 0.5, 1.5, na}));
  CHECK(equal(mapped_back(atoms, {-0.7, 0.5, 1.4, na}), {0, 0.5, 1, na}));

  CHECK(equal(mapped(remapped(Mapping::box_cox, 0.5), {0, 4}), {-2, 2}));
  CHECK(equal(mapped_back(remapped(Mapping::box_cox, 0.5), {2, -5}), {4, 0}));
  CHECK(equal(mapped(remapped(Mapping::box_cox, 0), {1, std::exp(2)}), {0, 2}));
  CHECK(equal(mapped_back(remapped(Mapping::box_cox, 0), {0, 2}), {1, std::exp(2)}));

  CHECK(equal(mapped(remapped(Mapping::power, 0.5), {0, 9}), {0, 3}));
  CHECK(equal(mapped_back(remapped(Mapping::power, 0.5), {-1, 3}), {0, 9}));
  RemappedColumn tangent = remapped(Mapping::power, 0.5);
  tangent.tangent_above_one = true;
  CHECK(equal(mapped(tangent, {0.25, 3}), {0.5, 2}));
  CHECK(equal(mapped_back(tangent, {0.5, 2, -1}), {0.25, 3, 0}));

  CHECK(equal(mapped(remapped(Mapping::square_root), {4, -1}), {2, na}));
  CHECK(equal(mapped_back(remapped(Mapping::square_root), {-2, 3}), {4, 9}));

  CHECK(equal(mapped(remapped(Mapping::atanh, 2), {0, 0.5, 1}), {-1, 0, 1}, 1e-5));
  CHECK(equal(mapped_back(remapped(Mapping::atanh, 2), {-1, 0, 1, 5}), {0, 0.5, 1, 1}, 1e-5));
  CHECK(equal(mapped(remapped(Mapping::atanh, 0), {0.3}), {0.3}));
  CHECK(equal(mapped_back(remapped(Mapping::atanh, 0), {0.3, 2}), {0.3, 1}));

  CHECK(equal(mapped(remapped(Mapping::asinh, 3), {2}), {std::asinh(6.0)}));
  CHECK(equal(mapped_back(remapped(Mapping::asinh, 3), {std::asinh(6.0)}), {2}));
  CHECK(equal(mapped(remapped(Mapping::log1p), {0, 1e-6}), {0, std::log1p(1e-6)}, 1e-9));
  CHECK(equal(mapped_back(remapped(Mapping::log1p), {0, 1e-6}), {0, std::expm1(1e-6)}, 1e-9));
}

TEST_CASE("a remapping refuses values for which it is not defined, unless it clips or its version did not look") {
  for (const Mapping mapping : {Mapping::box_cox, Mapping::power}) {
    RemappedColumn power = remapped(mapping, 0.5);
    CHECK_THROWS_AS(mapped(power, {1, -1}), UserError);
    CHECK_THROWS_AS(mapped(power, {1, na}), UserError);
    power.clip_negative = true;
    const double lowest = mapping == Mapping::power ? 0 : -2;
    CHECK(equal(mapped(power, {-1}), {lowest}));
    power.clip_negative = false;
    power.unchecked = true;
    CHECK(equal(mapped(power, {-1}), {na}));
  }
  CHECK_THROWS_AS(mapped(remapped(Mapping::box_cox, 0), {0}), UserError);
  RemappedColumn unchecked = remapped(Mapping::box_cox, 0.5);
  unchecked.unchecked = true;
  CHECK(equal(mapped_back(unchecked, {-3}), {0.25}));
}

namespace {

// Three input and two output variables; output 0 is input 0, output 1 is input 2.
DatasetDescription dataset_with(std::vector<PreprocessorDescription> steps) {
  DatasetDescription dataset;
  dataset.input_variables = 3;
  dataset.output_variables = 2;
  dataset.postprocessors.assign(steps.rbegin(), steps.rend());
  dataset.preprocessors = std::move(steps);
  return dataset;
}

}  // namespace

TEST_CASE("steps are applied in order and undone in reverse, with what was missing at the first time") {
  ImputerDescription imputer;
  imputer.columns = {{0, 0, 0, {}, 7}, {2, 1, 2, {}, 4}};
  const NormalizerDescription normalizer{{2, 2, 2}, {1, 1, 1}, {2, 4}, {1, 0}};
  RemapperDescription remapper;
  remapper.columns = {remapped(Mapping::square_root)};
  remapper.columns[0].input = 2;
  remapper.columns[0].output = 1;
  const preprocess::Preprocessing preprocessing(dataset_with({imputer, remapper, normalizer}));

  const at::Tensor first = column({na, 1, 9, 2, 1, na}).view({2, 3});
  const at::Tensor masks = preprocessing.masks(first);
  CHECK(masks.equal(at::tensor({1, 0, 0, 1}).view({2, 2}).to(at::kBool)));
  at::Tensor now = column({na, 1, na, na, na, 16}).view({2, 3});
  preprocessing.forward(now, masks);
  CHECK(equal(now.flatten(), {15, 3, 5, 15, na, 9}));  // every time fills what is missing at that time
  at::Tensor y = column({3, 8, 5, 12}).view({2, 2});
  preprocessing.inverse(y, masks);
  CHECK(equal(y.flatten(), {na, 4, 2, na}));
}

TEST_CASE("imputers before 0.9 fill at every time what was missing at the first, by a mask of another column") {
  ImputerDescription imputer;
  imputer.masks_of_first_step = true;
  imputer.columns = {{0, 0, 1, {}, 7}};
  const preprocess::Preprocessing preprocessing(dataset_with({imputer}));
  const at::Tensor masks = preprocessing.masks(column({1, na, 3, na, 5, 6}).view({2, 3}));
  at::Tensor now = column({1, 2, 3, na, 5, 6}).view({2, 3});
  preprocessing.forward(now, masks);
  CHECK(equal(now.flatten(), {7, 2, 3, na, 5, 6}));
  at::Tensor y = column({1, 2, 3, 4}).view({2, 2});
  preprocessing.inverse(y, masks);
  CHECK(equal(y.flatten(), {na, 2, 3, 4}));
}

TEST_CASE("a copying imputer, whose source must be there; one without outputs leaves the output alone") {
  ImputerDescription imputer;
  imputer.columns = {{0, {}, {}, 1, 0}};
  const preprocess::Preprocessing preprocessing(dataset_with({imputer}));
  at::Tensor now = column({na, 2, 3, 4, 5, 6}).view({2, 3});
  const at::Tensor masks = preprocessing.masks(now);
  preprocessing.forward(now, masks);
  CHECK(equal(now.flatten(), {2, 2, 3, 4, 5, 6}));
  at::Tensor y = column({1, 2, 3, 4}).view({2, 2});
  preprocessing.inverse(y, masks);
  CHECK(equal(y.flatten(), {1, 2, 3, 4}));
  at::Tensor missing = column({na, na, 3}).view({1, 3});
  CHECK_THROWS_AS(preprocessing.forward(missing, preprocessing.masks(missing)), UserError);
}

TEST_CASE("processors of the output: limits, and values where another column is zero or missing") {
  const OutputLimitsDescription limits{{ReluBoundingDescription{{1}, {}, 0}}};
  const ConditionalFillDescription zero{0, false, {1}, {5.0}}, missing{0, true, {1}, {std::nullopt}};
  // undone in reverse: missing, zero, limits
  const preprocess::Preprocessing preprocessing(dataset_with({limits, zero, missing}));
  CHECK(!preprocessing.has_masks());
  at::Tensor x = column({0, -1, -2}).view({1, 3});
  preprocessing.forward(x, {});
  CHECK(equal(x.flatten(), {0, -1, -2}));
  at::Tensor y = column({1, -3, 0, -3, na, -3, 1, 3}).view({4, 2});
  preprocessing.inverse(y, {});
  CHECK(equal(y.flatten(), {1, 0, 0, 5, na, na, 1, 3}));
}

TEST_CASE("columns that do not exist are refused") {
  ImputerDescription imputer;
  imputer.columns = {{3, {}, {}, {}, 0}};
  CHECK_THROWS_AS(preprocess::Preprocessing{dataset_with({imputer})}, UserError);
  CHECK_THROWS_AS(preprocess::Preprocessing{dataset_with({ConditionalFillDescription{2, false, {}, {}}})}, UserError);
  CHECK_THROWS_AS((preprocess::Preprocessing{dataset_with({NormalizerDescription{{1}, {1, 1, 1}, {1, 1}, {1, 1}}})}),
                  UserError);
}
