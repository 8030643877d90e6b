// Transport models as the fixtures have them, and options that a change of a fixture makes.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "common/checkpoint/input_columns.h"
#include "tests/helpers/case_file.h"
#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

// Tendencies at two output steps, with an imputer; random numbers at start and on the way.
const std::string fixture = "transport-steps";
const std::string settings = "model.transport_source.settings", defaults = "model.inference_defaults";

const GraphTransformerMapperDescription& encoder_of(const ModelDescription& model) {
  return std::get<GraphTransformerMapperDescription>(model.datasets.at(0).encoder->mapper);
}

}  // namespace

TEST_CASE("a model of tendencies at two steps") {
  const ModelDescription model = Changed(fixture).model();
  CHECK(model.class_name.ends_with(".AnemoiTransportTendModelEncProcDec"));
  CHECK_FALSE(model.noise);
  REQUIRE(model.transport);
  const TransportDescription& transport = *model.transport;
  CHECK(transport.objective == sampling::Objective::denoise);
  CHECK(transport.sigma_data == 0.8);
  CHECK(transport.channels == 8);
  CHECK(transport.embedding.frequencies.shape == std::vector<std::int64_t>{8});
  CHECK(transport.embedding.turns);
  CHECK(transport.embedding.mlp.layers.size() == 3);
  CHECK(transport.source == SourceField::gaussian);
  CHECK(transport.scale == 0.9);
  CHECK(transport.noise_scale == 0.2);
  const sampling::Sampling own = sampling::resolve(transport.objective, transport.defaults, {});
  CHECK(sampling::text(own) == "heun, 3 steps of exponential from sigma 80 to 0.03, churn 2");
  CHECK(own.sampler.churn_noise == 1.003);

  const DatasetDescription& dataset = model.datasets.at(0);
  const std::int64_t prognostic = 9, outputs = 11;
  CHECK(dataset.output_steps == 2);
  CHECK(dataset.output_variables == outputs);
  CHECK(dataset.input_features == std::vector<InputFeature>{InputFeature::variables, InputFeature::target,
                                                            InputFeature::node_attributes, InputFeature::residual,
                                                            InputFeature::residual});
  CHECK(first_column(dataset, InputFeature::target) == 2 * dataset.input_variables);
  CHECK(input_columns(dataset) ==
        2 * dataset.input_variables + 2 * outputs + node_columns(dataset.nodes) + 2 * prognostic);
  CHECK(std::get<SkipResidualDescription>(dataset.residual).step == -1);
  CHECK(dataset.boundings.empty());
  for (const NormDescription* norm : {&*encoder_of(model).block.norm_source, &encoder_of(model).block.norm_destination,
                                      &encoder_of(model).block.norm_mlp}) {
    REQUIRE(norm->condition);
    CHECK(norm->condition->scale.weight.shape == std::vector<std::int64_t>{16, 8});
  }
  REQUIRE(dataset.tendency);
  REQUIRE(dataset.tendency->steps.size() == 2);
  const ScaleDescription &first = dataset.tendency->steps[0], &second = dataset.tendency->steps[1];
  const NormalizerDescription* state = nullptr;
  for (const auto& each : dataset.preprocessors) {
    if (const auto* normalizer = std::get_if<NormalizerDescription>(&each)) state = normalizer;
  }
  REQUIRE(state != nullptr);
  std::vector<bool> changes(outputs, false);
  for (const std::int64_t column : dataset.prognostic_output) changes.at(static_cast<std::size_t>(column)) = true;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    // A diagnostic variable has the state's scale at both steps, a change one of its own at each.
    CHECK((first.multiply[i] == state->output_multiply[i]) == !changes[i]);
    CHECK((second.multiply[i] == first.multiply[i]) == !changes[i]);
    CHECK(second.multiply[i] == doctest::Approx(changes[i] ? first.multiply[i] / 1.5 : first.multiply[i]));
  }
}

TEST_CASE("what a state model is: no residual, no tendencies, one call's columns") {
  Changed changed(fixture);
  changed.rename_class("model",
                       "anemoi.models.models.transport_encoder_processor_decoder.AnemoiTransportModelEncProcDec");
  // the encoder was made for the residual's columns, too
  CHECK(says(changed, "encoder"));
  for (const char* name : {"latest/transport-edm", "latest/transport-si-zero"}) {
    const auto file = tests::find_checkpoint(TRADEWIND_GOLDEN_DIR, name);
    if (!file) continue;
    CAPTURE(name);
    const auto tree = Tree::read(archive::Archive::open(*file));
    const ModelDescription model = describe(*tree);
    CHECK(std::holds_alternative<NoResidualDescription>(model.datasets.at(0).residual));
    CHECK_FALSE(model.datasets.at(0).tendency);
    CHECK(model.datasets.at(0).input_features ==
          std::vector<InputFeature>{InputFeature::variables, InputFeature::target, InputFeature::node_attributes});
    const bool moves = std::string(name).ends_with("zero");
    CHECK((model.transport->objective == sampling::Objective::move) == moves);
    CHECK((model.transport->source == SourceField::zero) == moves);
  }
}

TEST_CASE("sources and settings") {
  CHECK(Changed(fixture).set(settings + ".kind", std::string("default")).model().transport->source ==
        SourceField::gaussian);
  CHECK(Changed(fixture).set(settings + ".kind", std::string("zero")).model().transport->source == SourceField::zero);
  CHECK(says(Changed(fixture).set(settings + ".kind", std::string("reference_state")),
             "of which the input does not hold every output variable"));
  CHECK(says(Changed(fixture).set(settings + ".kind", std::string("levy")), "the source `levy`"));
  CHECK(says(Changed(fixture).set(settings + ".scale", std::nan("")), "no number"));
  CHECK(says(Changed(fixture).set("model.edm.sigma_data", 0.0), "not above 0"));
  CHECK(Changed(fixture).set("model.edm.sigma_data", std::int64_t{2}).model().transport->sigma_data == 2);
  CHECK(says(Changed(fixture).set("model.noise_cond_dim", std::int64_t{7}), "where"));
  CHECK(says(Changed(fixture).rename_class("model.noise_embedder", "my.Embedding"), "my.Embedding"));
  CHECK_FALSE(Changed(fixture)
                  .rename_class("model.noise_embedder", "anemoi.models.layers.diffusion.SinusoidalEmbeddings")
                  .set("model.noise_embedder.pi", None{})
                  .model()
                  .transport->embedding.turns);
  CHECK(says(Changed(fixture).rename_class("model.transport_model_objective", "my.Objective"), "my.Objective"));
  CHECK(says(Changed(fixture).add("model", "guidance", Value{2.5}), "attribute `guidance`"));
}

TEST_CASE("defaults of the sampler are read as strictly as a configuration's") {
  CHECK(says(Changed(fixture).set(defaults + ".sampling_schedule.num_steps", std::int64_t{0}), "from 1 to 100000"));
  CHECK(says(Changed(fixture).set(defaults + ".sampling_schedule.sigma_min", -1.0), "above 0"));
  CHECK(says(Changed(fixture).set(defaults + ".sampling_schedule.num_steps", std::string("3")), "whole number"));
  CHECK(says(Changed(fixture).set(defaults + ".sampler.sampler", std::string("rk4")), "no sampler 'rk4'"));
  CHECK(says(Changed(fixture).set(defaults + ".sampler.S_churn", List{}), "S_churn"));
  const ModelDescription none = Changed(fixture).set(defaults, None{}).model();
  CHECK(none.transport->defaults == sampling::Choice());
}

TEST_CASE("tendencies that the reference cannot make are refused") {
  const std::string tendencies = "post_processors_tendencies.data";
  CHECK(says(Changed(fixture).set("model.residual.data.step", std::int64_t{-2}), "another input than the latest"));
  CHECK(
      says(Changed(fixture).set_list(tendencies + "._lead_times", {Value{std::string("6h")}}), "for 1 steps, where 2"));
  CHECK(says(
      Changed(fixture).set_list(tendencies + "._lead_times", {Value{std::string("6h")}, Value{std::string("18h")}}),
      "no statistics of tendencies for lead time 18h"));
  CHECK(says(Changed(fixture).share(tendencies + "._processors.6h.processors", "pre_processors.data.processors"),
             "are not those of states"));  // in the other order
  CHECK(says(Changed(fixture).rename_class(tendencies, "my.Processors"), "my.Processors"));
  CHECK(says(Changed(fixture).set("model.encoder.0.proc.layer_norm_attention_src", None{}), "layer_norm"));
}

TEST_CASE("of several datasets each must be read and written, for the network is asked about all of them") {
  const std::string several = "transport-datasets";
  const ModelDescription model = Changed(several).model();
  REQUIRE(model.datasets.size() == 2);
  REQUIRE(model.transport);
  CHECK(model.aggregation == LatentAggregation::mean);
  for (const DatasetDescription& dataset : model.datasets) {
    REQUIRE(dataset.tendency);
    CHECK(first_column(dataset, InputFeature::target) == 2 * dataset.input_variables);
  }
  const auto only = [](const char* name) { return std::vector<Value>{Value{std::string(name)}}; };
  CHECK(says(Changed(several).set_list("model.target_datasets", only("coarse")),
             "a transport model whose dataset fine has no decoder"));
  CHECK(says(Changed(several).set_list("model.input_datasets", only("fine")),
             "a transport model whose dataset coarse has no encoder"));
}

TEST_CASE("a decoder of a transport model starts from the encoded data, whatever it was configured with") {
  const std::string feature = "model.decoders_target_input.0.features.0", layers = "anemoi.models.layers.";
  CHECK(says(Changed(fixture).rename_class(feature, layers + "target_features.CoordinatesFeature"),
             "a transport model whose decoder starts from other features"));
}
