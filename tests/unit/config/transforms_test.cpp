// Filters of anemoi-transform, before inputs and after the model: every form, option and refusal, with its place.
#include "tests/unit/config/config_case.h"

namespace tradewind::config {

TEST_CASE("filters of anemoi-transform that are refused") {
  check_refused({
      {"post_processors: [{backward_transform_filter: x}]", "unknown filter 'x'", 3, 47, "this build has"},
      {"post_processors: [{backward_transform_filter: rescal}]", "unknown filter 'rescal'", 3, 47,
       "did you mean 'rescale'?"},
      {"post_processors: [{backward_transform_filter: regrid}]", "filter 'regrid' is not supported by this build", 3,
       47, "afterwards"},
      {"pre_processors: [{forward_transform_filter: {rotate-winds: {}}}]",
       "filter 'rotate-winds' is not supported by this build", 3, 46, "this build has"},
      {"pre_processors: [{forward_transform_filter: {filter: noop, skip_initial_state: true}}]",
       "`pre_processors.0.forward_transform_filter.skip_initial_state` has no meaning before the model", 3, 80,
       "leave"},
      {"pre_processors: [{backward_transform_filter: noop}]", "unknown pre-processor 'backward_transform_filter'", 3,
       19, "forward_transform_filter"},
      {"pre_processors: [{no_missing_values: {a: 1}}]", "unknown key `pre_processors.0.no_missing_values.a`", 3, 39,
       ""},
      {"post_processors: [{backward_transform_filter: {clip: {param: tp, minimum: 0}}}]",
       "the filter `clip` cannot be applied backward", 3, 48, "forward_transform_filter"},
      {"post_processors: [{backward_transform_filter: {rescale: {param: tp, scale: 0, offset: 1}}}]",
       "the filter `rescale` cannot be applied backward: its scale is 0", 3, 48, "multiplied by"},
      {"post_processors: [{forward-transform-filter: {rescale: {param: tp, scale: 2}}}]",
       "`post_processors.0.forward-transform-filter.rescale.offset` is missing", 3, 47, "offset"},
      {"post_processors: [{forward-transform-filter: {rescale: 5}}]",
       "`post_processors.0.forward-transform-filter.rescale` takes no value, not the integer 5", 3, 56, ""},
      {"post_processors: [{forward_transform_filter: {filter: {clip: {param: a}}, param: b, minimum: 0}}]",
       "`post_processors.0.forward_transform_filter.filter.clip.param` is given twice", 3, 75, "once"},
      {"post_processors: [{forward_transform_filter: {clip: {param: tp}}}]",
       "`post_processors.0.forward_transform_filter.clip` needs `minimum` or `maximum`", 3, 47, "minimum: 0"},
      {"post_processors: [{forward_transform_filter: {apply_mask: {path: m.nc, mask_value: 0}}}]",
       "`post_processors.0.forward_transform_filter.apply_mask.path` is a NetCDF file, which this build does not read",
       3, 66, "numpy.save"},
      {"post_processors: [{forward_transform_filter: {apply_mask: {path: m.npy, mask_param: lsm, mask_value: 0}}}]",
       "`post_processors.0.forward_transform_filter.apply_mask` needs one of `path`, `mask_param` and `self_mask: "
       "true`",
       3, 47, "path"},
      {"post_processors: [{forward_transform_filter: {mask: {self_mask: true, mask_value: 0}}}]",
       "`post_processors.0.forward_transform_filter.mask` needs `param` beside `self_mask`", 3, 47, "path"},
      {"post_processors: [{forward_transform_filter: {mask: {path: a.npy, return_mask: true, mask_value: 0}}}]",
       "`post_processors.0.forward_transform_filter.mask` has `return_mask`, which is for `mask_param` only", 3, 47,
       "path"},
      {"post_processors: [{forward_transform_filter: {mask: {path: a.npy}}}]",
       "`post_processors.0.forward_transform_filter.mask` needs one of `mask_value` and `threshold`", 3, 47, "path"},
      {"post_processors: [{forward_transform_filter: {drop: {}}}]",
       "`post_processors.0.forward_transform_filter.drop` would drop every field", 3, 47, "param"},
      {"post_processors: [{forward_transform_filter: {orog_to_z: {height: a, orography: b}}}]",
       "`post_processors.0.forward_transform_filter.orog_to_z` has `orography` and `height`, which are one", 3, 47,
       "one of them"},
  });
}

TEST_CASE("the four ways to write a filter of anemoi-transform, before inputs and after the model") {
  const ConfigCase test;
  for (const char* form : {"{forward_transform_filter: {filter: rescale, param: t, scale: 2, offset: 1}}",
                           "{forward_transform_filter: {filter: {rescale: {param: t, scale: 2, offset: 1}}}}",
                           "{forward_transform_filter: {rescale: {param: t, scale: 2, offset: 1}}}"}) {
    const std::string shown(form);
    CAPTURE(shown);
    const RunConfig config = test.run("pre_processors: [" + shown + "]\npost_processors: [" + shown +
                                      "]\ninput: {grib: {path: a, pre_processors: [" + shown + "]}}");
    const auto& after = std::get<ForwardTransform>(config.post_processors.at(0));
    CHECK(std::get<Rescale>(after.transform).scale == 2);
    CHECK(std::get<Rescale>(after.transform).offset == 1);
    CHECK_FALSE(after.skip_initial_state);
    CHECK(std::get<ForwardTransform>(config.pre_processors.at(0)) == after);
    CHECK(std::get<GribInputConfig>(config.input).pre_processors == config.pre_processors);
  }
  const auto one = [&](const std::string& text) {
    return test.run("post_processors: [" + text + "]").post_processors.at(0);
  };
  CHECK(std::holds_alternative<Noop>(std::get<BackwardTransform>(one("{backward_transform_filter: noop}")).transform));
  const auto waves =
      std::get<BackwardTransform>(one("{backward-transform-filter: {cos_sin_mean_wave_direction: {mean_wave_direction: "
                                      "dir}, skip_initial_state: true}}"));
  CHECK(std::get<CosSinMeanWaveDirection>(waves.transform).direction == "dir");
  CHECK(std::get<CosSinMeanWaveDirection>(waves.transform).sine == "sin_mwd");
  CHECK(waves.skip_initial_state);
  const auto mask =
      std::get<ApplyMask>(std::get<ForwardTransform>(
                              one("{forward_transform_filter: {mask: {mask_param: lsm, threshold: 0.5, param: sd}}}"))
                              .transform);
  CHECK(mask.field == "lsm");
  CHECK(mask.threshold == 0.5);
  CHECK(mask.params == std::vector<std::string>{"sd"});
  const auto beside = std::get<Drop>(
      std::get<ForwardTransform>(one("{forward_transform_filter: {filter: {drop-fields: {param: [t, q]}}, levelist: "
                                     "[500, 850]}}"))
          .transform);
  CHECK(beside.params == std::vector<std::string>{"t", "q"});
  CHECK(beside.levels == std::vector<std::string>{"500", "850"});
  const auto metres = std::get<OrogToZ>(
      std::get<ForwardTransform>(one("{forward_transform_filter: {z-to-orog: {height: h}}}")).transform);
  CHECK(metres.reversed);
  CHECK(metres.orography == "h");
  CHECK(std::holds_alternative<NoMissingValues>(test.run("pre_processors: [no-missing-values]").pre_processors.at(0)));
  const Findings found = test.findings(
      ConfigCase::complete("post_processors: [{forward_transform_filter: {noop: {}, use_forward: false}}]"));
  REQUIRE(found.warnings().size() == 1);
  CHECK(found.warnings()[0].find("use_forward` has no effect") != std::string::npos);
}

}  // namespace tradewind::config
