#include <ostream>

#include "common/checkpoint/layer_sizes.h"
#include "common/dates.h"
#include "common/errors.h"
#include "common/sampling/sampling.h"
#include "launcher/inspect/facts.h"

namespace tradewind::launcher {
namespace {

using checkpoint::Json;

Json variables_json(const checkpoint::Metadata& metadata) {
  const VariableGroups groups = group_variables(metadata);
  return {{"input", metadata.input},
          {"output", metadata.output},
          {"prognostic", groups.prognostic},
          {"diagnostic", groups.diagnostic},
          {"constant_forcings", groups.constant_forcings},
          {"dynamic_forcings", groups.dynamic_forcings},
          {"computed_forcings", groups.computed_forcings},
          {"accumulations", groups.accumulations}};
}

Json time_json(const checkpoint::TimeStepping& time) {
  Json inputs = Json::array(), outputs = Json::array();
  for (const Duration offset : time.input_offsets) inputs.push_back(duration_text(offset));
  for (const Duration offset : time.output_offsets) outputs.push_back(duration_text(offset));
  return {{"timestep", duration_text(time.timestep)},
          {"input_offsets", inputs},
          {"output_offsets", outputs},
          {"rollout_shift", duration_text(time.rollout_shift)}};
}

Json heads_json(std::int64_t heads) { return heads > 0 ? Json(heads) : Json(); }

Json mapper_json(const checkpoint::MapperDescription& description, std::int64_t sources, std::int64_t destinations) {
  const checkpoint::MapperSizes sizes = checkpoint::sizes_of(description);
  return {{"sources", sources},
          {"destinations", destinations},
          {"edges", sizes.graph ? Json(sizes.graph->edges) : Json()},
          {"channels", sizes.channels},
          {"heads", heads_json(sizes.heads)}};
}

Json processor_json(const checkpoint::ProcessorDescription& description) {
  const checkpoint::ProcessorSizes sizes = checkpoint::sizes_of(description);
  return {{"layers", sizes.layers},
          {"channels", sizes.channels},
          {"heads", heads_json(sizes.heads)},
          {"edges", sizes.graph ? Json(sizes.graph->edges) : Json()},
          {"window", sizes.window ? Json(*sizes.window) : Json()}};
}

const char* aggregation_name(checkpoint::LatentAggregation aggregation) {
  switch (aggregation) {
    case checkpoint::LatentAggregation::sum:
      return "sum";
    case checkpoint::LatentAggregation::mean:
      return "mean";
    case checkpoint::LatentAggregation::concatenation:
      return "concatenation";
  }
  return "";
}

// What there is several of is named by its dataset or number.
Json transport_json(const checkpoint::TransportDescription& transport, const sampling::Choice& wanted) {
  const bool denoises = transport.objective == sampling::Objective::denoise;
  const char* sources[] = {"gaussian", "zero", "reference_state"};
  Json json = {{"objective", denoises ? "edm_diffusion" : "stochastic_interpolant"},
               {"source", sources[static_cast<int>(transport.source)]},
               {"scale", transport.scale},
               {"noise_scale", transport.noise_scale}};
  try {
    const sampling::Sampling own = sampling::resolve(transport.objective, transport.defaults, wanted);
    json["sampler"] = own.sampler.name;
    json["schedule"] = own.schedule.type;
    json["levels"] = sampling::levels(own.schedule);
    json["network_calls"] = sampling::network_calls(own);
  } catch (const UserError&) {  // it names none: only a configuration can
    for (const char* name : {"sampler", "schedule", "levels", "network_calls"}) json[name] = nullptr;
  }
  return json;
}

void add_layers(const checkpoint::ModelDescription& model, const sampling::Choice& sampling, Json& json) {
  Json nodes = Json::object();
  const bool one = model.datasets.size() == 1;
  for (const auto& dataset : model.datasets) nodes[one ? "data" : dataset.name] = dataset.nodes.count;
  for (const auto& level : model.levels) nodes[model.levels.size() == 1 ? "hidden" : level.name] = level.count;
  json["nodes"] = nodes;
  const auto add_mapper = [&](const std::string& name, const checkpoint::MapperDescription& mapper,
                              const checkpoint::NodeDescription& sources,
                              const checkpoint::NodeDescription& destinations) {
    json[name] = mapper_json(mapper, sources.count, destinations.count);
  };
  int stages = 0;
  checkpoint::for_each_processor(model, [&](const checkpoint::ProcessorDescription& processor, const auto&) {
    json[model.trunk.size() == 1 ? "processor" : "processor " + std::to_string(stages++)] = processor_json(processor);
  });
  checkpoint::for_each_mapper(model, add_mapper);
  if (model.latents.size() > 1) {
    Json names = Json::array();
    for (const std::size_t dataset : model.latents) names.push_back(model.datasets.at(dataset).name);
    json["latents"] = {{"aggregation", aggregation_name(model.aggregation)}, {"datasets", names}};
  }
  if (const auto& noise = model.noise) {
    json["noise"] = {{"rows", noise->rows},
                     {"channels", noise->channels},
                     {"deviation", noise->deviation},
                     {"conditions", !noise->injection},
                     {"entries", noise->projection ? Json(noise->projection->entries()) : Json()}};
  }
  if (model.transport) json["transport"] = transport_json(*model.transport, sampling);
  for (const auto& dataset : model.datasets) {
    const auto* truncated = std::get_if<checkpoint::TruncatedResidualDescription>(&dataset.residual);
    if (!truncated) continue;
    Json grids = Json::array({truncated->matrices.front().columns}), entries = Json::array();
    for (const auto& matrix : truncated->matrices) {
      grids.push_back(matrix.rows);
      entries.push_back(matrix.entries());
    }
    json[one ? "residual" : "residual " + dataset.name] = {{"nodes", grids}, {"entries", entries}};
  }
}

Json model_json(const CheckpointFacts& facts) {
  Json parts = Json::array();
  for (const auto& part : facts.summary.parts) parts.push_back({{"place", part.place}, {"class", part.class_name}});
  Json json = {{"class", facts.summary.model_class},
               {"generation", facts.summary.generation.empty() ? Json() : Json(facts.summary.generation)},
               {"parameters", facts.summary.parameters},
               {"parts", parts}};
  if (facts.model) {
    add_layers(*facts.model, facts.sampling, json);
  }
  return json;
}

void add_dataset(const checkpoint::Metadata& metadata, Json& json) {
  json["grid"] = {{"name", metadata.grid}, {"points", metadata.grid_points}};
  json["time"] = time_json(metadata.time);
  json["variables"] = variables_json(metadata);
}

// One dataset stands by itself, several by their names.
void add_metadata(const std::vector<checkpoint::Metadata>& metadata, Json& json) {
  const checkpoint::Metadata& first = metadata.front();
  if (metadata.size() == 1) json["dataset"] = first.dataset;
  json["task"] = first.task;
  json["precision"] = first.precision;
  if (metadata.size() == 1) return add_dataset(first, json);
  for (const checkpoint::Metadata& one : metadata) add_dataset(one, json["datasets"][one.dataset]);
}

Json memory_json(const checkpoint::MemoryEstimate& memory) {
  return {{"world_size", memory.world_size},
          {"element_bytes", memory.element_size},
          {"threads", memory.threads},
          {"bytes_per_rank", memory.own()},
          {"bytes_kept_per_rank", memory.kept()},
          {"bytes_mapped_per_host", memory.mapped},
          {"parts",
           {{"graph", memory.graph},
            {"edges", memory.edges},
            {"nodes", memory.nodes},
            {"residual", memory.residual},
            {"state", memory.state},
            {"latent", memory.latent},
            {"attention", memory.attention},
            {"scratch", memory.scratch},
            {"converted", memory.converted},
            {"runtime", memory.runtime}}},
          {"halo_rows",
           {{"encoder", memory.halo_rows_encoder},
            {"processor", memory.halo_rows_processor},
            {"decoder", memory.halo_rows_decoder}}}};
}

}  // namespace

void write_json(const CheckpointFacts& facts, std::ostream& out) {
  Json obstacles = Json::array();
  for (const Refusal& each : facts.obstacles) {
    obstacles.push_back({{"what", each.what}, {"where", each.where}, {"remedy", each.remedy}});
  }
  Json json = {{"checkpoint", facts.path},
               {"bytes", facts.file_size},
               {"runnable", facts.obstacles.empty()},
               {"obstacles", obstacles},
               {"model", model_json(facts)}};
  if (!facts.unchecked.empty()) json["warnings"] = Json::array({facts.unchecked});
  if (!facts.metadata.empty()) add_metadata(facts.metadata, json);
  for (const FilterPlace& place : facts.filters)
    json["filters"].push_back({{"place", place.place}, {"filters", place.filters}});
  if (facts.memory) json["memory"] = memory_json(*facts.memory);
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace tradewind::launcher
