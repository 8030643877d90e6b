// Ensemble models as the fixtures have them, and options that a change of a fixture makes.
#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "common/checkpoint/input_columns.h"
#include "tests/helpers/case_file.h"
#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

const std::string fixture = "legacy/0.9.3-ens";
const std::string injector = "model.noise_injector";
const std::vector<InputFeature> until_0_10 = {InputFeature::variables, InputFeature::residual,
                                              InputFeature::node_attributes, InputFeature::forecast_step};
const std::vector<InputFeature> since_0_11 = {InputFeature::variables, InputFeature::node_attributes,
                                              InputFeature::forecast_step};

// A linear layer of zeros as a value of a tree, and what it is made of.
class ZeroLinear {
 public:
  ZeroLinear(std::int64_t outputs, std::int64_t inputs) : zeros_(static_cast<std::size_t>(outputs * inputs)) {
    const Ref weight = keep(tensor({outputs, inputs})), bias = keep(tensor({outputs}));
    const Ref parameters = keep(Dict{{{keep("weight"), weight}, {keep("bias"), bias}}});
    const Ref state = keep(
        Dict{{{keep("_parameters"), parameters}, {keep("_buffers"), keep(Dict{})}, {keep("_modules"), keep(Dict{})}}});
    layer_.data = Object{.name = "torch.nn.modules.linear.Linear", .state = state};
  }
  const Object& value() const { return std::get<Object>(layer_.data); }

 private:
  template <class T>
  Ref keep(T value) {
    kept_.push_back(Value{std::move(value)});
    return &kept_.back();
  }
  Ref keep(const char* text) { return keep(std::string(text)); }
  TensorDescriptor tensor(std::vector<std::int64_t> shape) const {
    TensorDescriptor out{.shape = shape, .strides = {}, .path = "zeros"};
    for (std::size_t i = 0; i < shape.size(); ++i) out.strides.push_back(i + 1 < shape.size() ? shape.back() : 1);
    out.data = reinterpret_cast<const std::byte*>(zeros_.data());  // NOLINT
    return out;
  }

  std::vector<float> zeros_;
  std::deque<Value> kept_;
  Value layer_;
};

// The places of the norms of all blocks.
std::vector<std::string> norms() {
  std::vector<std::string> out;
  for (const char* chunk : {"0", "1"}) {
    for (const char* block : {"0", "1"}) {
      for (const char* norm : {"layer_norm_attention", "layer_norm_mlp"}) {
        out.push_back(std::string("model.processor.proc.") + chunk + ".blocks." + block + "." + norm);
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("noise conditions the norms of the processor") {
  const Changed changed(fixture);
  const ModelDescription model = changed.model();
  CHECK(model.class_name.ends_with(".AnemoiEnsModelEncProcDec"));
  REQUIRE(model.noise);
  CHECK(model.noise->rows == 544);
  CHECK(model.noise->channels == 4);
  CHECK(model.noise->deviation == 1);
  CHECK(model.noise->mlp.layers.size() == 4);  // linear, activation, linear, norm
  CHECK_FALSE(model.noise->injection);
  const TransformerBlockDescription block = changed.block();
  for (const NormDescription* norm : {&block.norm_attention, &block.norm_mlp}) {
    REQUIRE(norm->condition);
    CHECK_FALSE(norm->weight);
    CHECK(norm->condition->scale.weight.shape == std::vector<std::int64_t>{64, 4});
    CHECK(norm->condition->shift.bias);
  }
  CHECK(block.norm_attention.condition->scale.weight.data != block.norm_attention.condition->shift.weight.data);
  const DatasetDescription& dataset = model.datasets.at(0);
  CHECK(dataset.input_features == until_0_10);
  CHECK(input_columns(dataset) == 2 * 17 + 9 + 10 + 1);
  CHECK(first_column(dataset, InputFeature::residual) == 34);
  CHECK(first_column(dataset, InputFeature::forecast_step) == 53);
  const auto& encoder = std::get<GraphTransformerMapperDescription>(dataset.encoder->mapper);
  CHECK(encoder.source_embedding->weight.shape[1] == input_columns(dataset));
  CHECK_FALSE(encoder.block.norm_destination.condition);
}

TEST_CASE("every generation's columns of the encoder and noise") {
  struct Row {
    const char* name;
    std::vector<InputFeature> features;
    bool noise;
  };
  std::vector<InputFeature> with_residual = since_0_11;
  with_residual.push_back(InputFeature::residual);
  int seen = 0;
  for (const Row& row : {Row{"legacy/0.6.0-ens", until_0_10, true}, Row{"legacy/0.10.0-ens", until_0_10, true},
                         Row{"legacy/0.11.3-ens-cond", with_residual, true}, Row{"legacy/0.12.1-ens", since_0_11, true},
                         Row{"latest/ens", since_0_11, true}, Row{"latest/ens-noop", since_0_11, false}}) {
    const auto file = tests::find_checkpoint(TRADEWIND_GOLDEN_DIR, row.name);
    if (!file) continue;
    CAPTURE(row.name);
    const auto tree = Tree::read(archive::Archive::open(*file));
    const ModelDescription model = describe(*tree);
    CHECK(model.datasets.at(0).input_features == row.features);
    CHECK(model.noise.has_value() == row.noise);
    ++seen;
  }
  MESSAGE(seen, " of 6 found");
}

TEST_CASE("noise that is mixed into the rows, before its class held another") {
  Changed changed(fixture);
  const ZeroLinear projection(64, 68);
  for (const std::string& norm : norms()) changed.share(norm, norm + ".norm");
  changed.rename_class(injector, "anemoi.models.layers.ensemble.NoiseInjector");
  CHECK(says(changed, "noise_injector.projection"));  // there is none yet
  changed.set(injector + ".projection", projection.value());
  const ModelDescription model = changed.model();
  REQUIRE(model.noise);
  REQUIRE(model.noise->injection);
  CHECK(model.noise->injection->weight.shape == std::vector<std::int64_t>{64, 68});
  CHECK_FALSE(changed.block().norm_mlp.condition);
  const ZeroLinear narrow(64, 67);
  changed.set(injector + ".projection", narrow.value());
  CHECK(says(changed, "where (64, 68) is needed"));
}

TEST_CASE("norms and noise that do not fit each other are refused, as the reference cannot run them") {
  CHECK(says(Changed(fixture).share(norms().front(), norms().front() + ".norm"), "takes no condition"));
  CHECK(says(Changed(fixture).rename_class(injector, "anemoi.models.layers.ensemble.NoOpNoiseInjector"),
             "attribute `noise_std`"));
  Changed without(fixture);
  without.rename_class(injector, "anemoi.models.layers.ensemble.NoOpNoiseInjector");
  for (const char* name : {"noise_std", "noise_channels"}) without.set(injector + "." + name, None{});
  for (const char* name : {"noise_mlp", "inject_noise", "layer_factory"}) without.set(injector + "." + name, None{});
  CHECK(says(without, "a conditional layer norm where nothing conditions it"));
  CHECK(says(Changed(fixture).set(injector + ".noise_channels", std::int64_t{5}), "where"));
  CHECK(says(Changed(fixture).set(norms().front() + ".scale.weight", std::string("x")), "scale"));
  CHECK(says(Changed(fixture).rename_class(injector, "my.Injector"), "noise injector of class my.Injector"));
  CHECK(says(Changed(fixture).add(injector, "schedule", Value{std::int64_t{3}}), "attribute `schedule`"));
  CHECK(says(Changed(fixture).set(injector + ".noise_std", std::nan("")), "no number"));
}

TEST_CASE("a deviation is any number, and whether noise was to be injected never had an effect") {
  CHECK(Changed(fixture).set(injector + ".noise_std", 0.25).model().noise->deviation == 0.25);
  CHECK(Changed(fixture).set(injector + ".noise_std", std::int64_t{0}).model().noise->deviation == 0);
  Changed whole(fixture);
  const ModelDescription before = whole.model();
  whole.set(injector + ".inject_noise", false);
  CHECK(whole.model() == before);
}

TEST_CASE("a condition on the residual where no version of anemoi-models runs it is refused by name") {
  const auto file = tests::find_checkpoint(TRADEWIND_GOLDEN_DIR, "latest/ens");
  if (!file) return;
  const std::string name = std::filesystem::path(*file).parent_path().string();
  Changed changed(std::filesystem::relative(name, TRADEWIND_GOLDEN_DIR).string());
  CHECK(says(changed.set("model.condition_on_residual", true), "condition_on_residual is not possible"));
}
