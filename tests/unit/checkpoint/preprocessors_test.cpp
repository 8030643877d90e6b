// Imputers, remappers, post-processors and boundings of a checkpoint, and those that a change of it makes.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

const std::string fixture = "imputer", steps = "pre_processors.data.processors.";
const std::string imputing = "anemoi.models.preprocessing.imputer.", mappings = "anemoi.models.preprocessing.mappings.";

template <class T>
T step(const ModelDescription& model, std::size_t i) {
  return std::get<T>(model.datasets.at(0).preprocessors.at(i));
}

Value function(const std::string& name) { return Value{Global{name}}; }

}  // namespace

TEST_CASE("the fixture's steps and boundings") {
  const ModelDescription model = Changed(fixture).model();
  REQUIRE(model.datasets.at(0).preprocessors.size() == 5);
  const auto mean = step<ImputerDescription>(model, 0), constant = step<ImputerDescription>(model, 1);
  REQUIRE(mean.columns.size() == 1);
  CHECK(!mean.masks_of_first_step);
  CHECK(mean.columns[0].input == 16);
  CHECK(mean.columns[0].mask == 16);
  CHECK(mean.columns[0].output == 7);
  CHECK(mean.columns[0].value == doctest::Approx(290.1815114303091).epsilon(1e-12));
  CHECK(constant.columns == std::vector<ImputedColumn>{{11, 6, 11, {}, 0}});

  const auto remapper = step<RemapperDescription>(model, 2);
  REQUIRE(remapper.columns.size() == 2);  // the others are mapped to themselves
  CHECK(remapper.columns[0].mapping == Mapping::log1p);
  CHECK(remapper.columns[0].input == 11);
  CHECK(remapper.columns[0].output == 6);
  CHECK(remapper.columns[1].mapping == Mapping::power);
  CHECK(remapper.columns[1].parameter == 0.5);
  CHECK(!remapper.columns[1].input);
  CHECK(remapper.columns[1].output == 11);
  CHECK(!remapper.columns[1].unchecked);
  CHECK(step<OutputLimitsDescription>(model, 3).limits ==
        std::vector<BoundingDescription>{ReluBoundingDescription{{5}, {}, 0}});

  REQUIRE(model.datasets.at(0).boundings.size() == 6);
  CHECK(std::get<ReluBoundingDescription>(model.datasets.at(0).boundings[0]) == ReluBoundingDescription{{11}, {}, 0});
  CHECK(std::get<HardtanhBoundingDescription>(model.datasets.at(0).boundings[1]) ==
        HardtanhBoundingDescription{{3}, 0, 1, 0, 11});
  const auto& normalized = std::get<ReluBoundingDescription>(model.datasets.at(0).boundings[2]);
  CHECK(normalized.columns == std::vector<std::int64_t>{7, 2});
  CHECK(normalized.thresholds.size() == 2);
  CHECK(normalized.slope == 0);
  CHECK(std::get<ReluBoundingDescription>(model.datasets.at(0).boundings[3]).slope == 0.01);
  CHECK(std::get<ReluBoundingDescription>(model.datasets.at(0).boundings[3]).thresholds.size() == 1);
  CHECK(std::get<HardtanhBoundingDescription>(model.datasets.at(0).boundings[4]) ==
        HardtanhBoundingDescription{{10}, 0.2, 0.6, 0.01, {}});
  CHECK(std::get<ReluBoundingDescription>(model.datasets.at(0).boundings[5]) == ReluBoundingDescription{{6}, {}, 0.01});
}

TEST_CASE("dynamic imputers restore nothing; copying ones name the column they copy") {
  const auto dynamic = step<ImputerDescription>(
      Changed(fixture).rename_class(steps + "const_imputer", imputing + "DynamicConstantImputer").model(), 1);
  CHECK(dynamic.columns == std::vector<ImputedColumn>{{11, {}, {}, {}, 0}});

  Changed copying(fixture);
  copying.rename_class(steps + "imputer", imputing + "CopyImputer");
  copying.set_list(steps + "imputer.replacement", {Value{std::string("2t")}});
  CHECK(step<ImputerDescription>(copying.model(), 0).columns == std::vector<ImputedColumn>{{16, 7, 16, 2, 0}});
  // the last variable of the dataset has a number that no column of the model's input has
  copying.set_list(steps + "imputer.replacement", {Value{std::string("z_500")}});
  CHECK(says(copying, "column 23 is copied, of 21"));
  copying.set_list(steps + "imputer.replacement", {Value{std::string("nothing")}});
  CHECK(says(copying, "nothing"));
  // the dynamic one looks it up in the model's input
  copying.rename_class(steps + "imputer", imputing + "DynamicCopyImputer");
  copying.set_list(steps + "imputer.replacement", {Value{std::string("z_500")}});
  CHECK(step<ImputerDescription>(copying.model(), 0).columns == std::vector<ImputedColumn>{{16, {}, {}, 20, 0}});
}

TEST_CASE("imputers of one layout of the model, before and after they looked at every time") {
  const auto of_mask = [](const ImputerDescription& imputer) {
    std::vector<std::optional<std::int64_t>> masks;
    for (const ImputedColumn& column : imputer.columns) masks.push_back(column.mask);
    return masks;
  };
  const ModelDescription before = Changed("legacy/0.9.0-aifs-small-imputer").model();
  const ModelDescription after = Changed("legacy/0.9.3-aifs-small-imputer").model();
  CHECK(before.generation == after.generation);
  CHECK(step<ImputerDescription>(before, 0).masks_of_first_step);
  CHECK(of_mask(step<ImputerDescription>(before, 0)) == std::vector<std::optional<std::int64_t>>{2});

  const auto fill = step<ConditionalFillDescription>(after, 0);
  CHECK(fill.where_missing);
  CHECK(fill.condition == 10);
  CHECK(fill.columns == std::vector<std::int64_t>{3, 4});
  const auto imputer = step<ImputerDescription>(after, 1);
  CHECK(!imputer.masks_of_first_step);
  // 2t, lsm, tp (which the model's input has not), z_500
  CHECK(imputer.columns == std::vector<ImputedColumn>{{2, 2, 2, {}, 271}, {7, {}, 7, {}, 0}, {16, 10, 16, {}, 54000}});

  Changed moved("legacy/0.9.3-aifs-small-imputer");
  moved.remove("pre_processors.processors.imputer", "_buffers");
  CHECK(says(moved, "no 'nan_locations'"));
  moved.add("pre_processors.processors.imputer", "nan_locations", Value{None{}});
  CHECK(says(moved, "the mask of variable 18 is looked up among 17"));  // as one of before 0.9.1
}

TEST_CASE("imputers whose parts do not fit are refused") {
  CHECK(says(Changed(fixture).set_list(steps + "imputer.index_inference_input", {}), "different lengths"));
  CHECK(says(Changed(fixture).set_list(steps + "imputer.index_inference_input", {Value{std::int64_t{21}}}),
             "column 21 outside [0, 21)"));
  CHECK(says(Changed(fixture).remove(steps + "imputer", "nan_locations"), "no 'nan_locations'"));
  CHECK(says(Changed(fixture).rename_class(steps + "imputer", imputing + "MagicImputer"),
             "pre-processor of class anemoi.models.preprocessing.imputer.MagicImputer is not supported"));
}

TEST_CASE("remappings: functions in pairs, with options that they have") {
  Changed changed(fixture);
  const auto functions = [&](const std::string& forward, const std::string& backward) -> Changed& {
    for (const char* list : {"index_inference_input", "index_inference_output"}) {
      changed.set_list(steps + "remapper." + list, {Value{std::int64_t{2}}});
    }
    changed.set_list(steps + "remapper.remapper_kwargs", {Value{Dict{}}});
    changed.set_list(steps + "remapper.remappers", {function(mappings + forward)});
    return changed.set_list(steps + "remapper.backmappers", {function(mappings + backward)});
  };
  const auto column = [&] { return step<RemapperDescription>(changed.model(), 2).columns.at(0); };
  functions("boxcox_converter", "inverse_boxcox_converter");
  CHECK(column().mapping == Mapping::box_cox);
  CHECK(column().parameter == 0.5);
  functions("power_transform", "inverse_power_transform");
  CHECK(column().parameter == 0.33);
  functions("sqrt_converter", "square_converter");
  CHECK(column().mapping == Mapping::square_root);
  functions("atanh_converter", "inverse_atanh_converter");
  CHECK(column().parameter == 2);
  functions("asinh_converter", "inverse_asinh_converter");
  CHECK(column().mapping == Mapping::asinh);
  functions("affine_transform", "inverse_affine_transform");
  CHECK(column().parameter == 1);
  CHECK(says(functions("displace_boundary_atoms", "inverse_displace_boundary_atoms"), "without an atom"));
  CHECK(says(functions("sqrt_converter", "expm1_converter"), "by sqrt_converter and back by expm1_converter"));
  CHECK(says(functions("cos_converter", "noop"), "cos_converter"));

  Changed options(fixture);
  const Value name{std::string("lambd")}, value{2.0}, other{std::string("lambda")};
  for (const char* list : {"index_inference_input", "index_inference_output"}) {
    options.set_list(steps + "remapper." + list, {Value{std::int64_t{2}}});
  }
  options.set_list(steps + "remapper.remappers", {function(mappings + "power_transform")});
  options.set_list(steps + "remapper.backmappers", {function(mappings + "inverse_power_transform")});
  options.set_list(steps + "remapper.remapper_kwargs", {Value{Dict{{{&name, &value}}}}});
  CHECK(step<RemapperDescription>(options.model(), 2).columns.at(0).parameter == 2);
  options.set_list(steps + "remapper.remapper_kwargs", {Value{Dict{{{&other, &value}}}}});
  CHECK(says(options, "option `lambda` of a remapping"));

  Changed before(fixture);  // functions without options came with checks of their own
  before.remove(steps + "remapper", "remapper_kwargs").remove(steps + "remapper", "method_kwargs");
  CHECK(step<RemapperDescription>(before.model(), 2).columns.at(0).unchecked);
  CHECK(says(Changed(fixture).remove(steps + "remapper", "remapper_kwargs"), "only one of"));
}

TEST_CASE("post-processors") {
  const std::string postprocessing = "anemoi.models.preprocessing.postprocessor.", path = steps + "postprocessor";
  CHECK(says(Changed(fixture).set_list(path + ".postprocessorfunctions", {function("torch.nn.functional.gelu")}),
             "post-processor function of class torch.nn.functional.gelu is not supported"));
  Changed conditional(fixture);
  conditional.rename_class(path, postprocessing + "ConditionalZeroPostprocessor");
  conditional.set_list(path + ".postprocessorfunctions", {Value{5.0}});
  CHECK(says(conditional, "masking_variable_inference_output"));
  conditional.add(path, "masking_variable_inference_output", Value{std::int64_t{3}});
  CHECK(step<ConditionalFillDescription>(conditional.model(), 3) == ConditionalFillDescription{3, false, {5}, {5.0}});
  conditional.rename_class(path, postprocessing + "ConditionalNaNPostprocessor");
  CHECK(step<ConditionalFillDescription>(conditional.model(), 3).where_missing);
}

TEST_CASE("boundings whose parts do not fit are refused") {
  const std::string bounds = "model.boundings.data.";
  CHECK(says(Changed(fixture).set(bounds + "4.min_val", 0.7), "min_val is above max_val"));
  CHECK(says(Changed(fixture).set_list(bounds + "1.total_variable", {}), "a fraction of 0 variables"));
  CHECK(says(Changed(fixture).rename_class(bounds + "0", "my.SoftBounding"),
             "bounding of class my.SoftBounding is not supported"));
  // before 0.9 a list keeps the configured order
  const auto listed = Changed(fixture)
                          .set_list(bounds + "2.data_index", {Value{std::int64_t{2}}, Value{std::int64_t{7}}})
                          .model()
                          .datasets.at(0)
                          .boundings.at(2);
  CHECK(std::get<ReluBoundingDescription>(listed).columns == std::vector<std::int64_t>{2, 7});
}
