#include <limits>

#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const Kinds& runner_kinds() {
  static const Kinds runners{"runner",
                             {"auto", "forecaster", "default", "offset-forecaster", "no-model", "parallel"},
                             {"simple", "temporal_downscaler", "external_graph", "runner"}};
  return runners;
}

const Kinds& cluster_kinds() {
  static const Kinds clusters{"cluster", {"manual", "slurm", "mpi", "distributed", "custom"}, {}};
  return clusters;
}

int positive(const Node& node, const std::string& key, int most) {
  const std::int64_t value = as_integer(node, key);
  if (value < 1 || value > most) {
    throw UserError("`" + key + "` is " + std::to_string(value) + ", it must be from 1 to " + std::to_string(most),
                    node.where.text(), "write a number in that range");
  }
  return static_cast<int>(value);
}

int world_size_of(const Node& node, const std::string& key) {
  return positive(node, key, std::numeric_limits<int>::max());
}

ClusterConfig parse_manual(const Component& component) {
  const MapReader reader(component.options("world_size"), component.key, {"world_size", "port"});
  ClusterConfig cluster;
  cluster.kind = ClusterKind::manual;
  const Node* world_size = reader.find_set("world_size");
  if (world_size == nullptr) {
    throw UserError("`" + reader.path("world_size") + "` is missing", component.where.text(),
                    "write manual: 4, the number of ranks");
  }
  cluster.world_size = world_size_of(*world_size, reader.path("world_size"));
  if (const Node* port = reader.find_set("port")) cluster.port = positive(*port, reader.path("port"), 65535);
  return cluster;
}

ClusterConfig parse_custom(const Component& component) {
  const MapReader reader(
      component.options(""), component.key,
      {"local_rank", "global_rank", "world_size", "master_addr", "master_port", "backend", "init_method"});
  ClusterConfig cluster;
  cluster.kind = ClusterKind::custom;
  for (const char* name : {"local_rank", "global_rank", "world_size", "master_addr", "master_port"}) {
    const Node* variable = reader.find_set(name);
    if (variable == nullptr) {
      throw UserError("`" + reader.path(name) + "` is missing", component.where.text(),
                      "name the environment variable that holds it");
    }
    std::string variables;
    for (const std::string& one : as_text_or_texts(*variable, reader.path(name))) {
      variables += (variables.empty() ? "" : ",") + one;
    }
    cluster.mapping[name] = variables;
  }
  for (const char* name : {"backend", "init_method"}) {
    if (const Node* value = reader.find_set(name)) cluster.mapping[name] = as_text(*value, reader.path(name));
  }
  return cluster;
}

ClusterConfig parse_cluster(const Node& node, const std::string& key) {
  if (node.is_null() || (node.is_map() && node.entries.empty())) return {};
  const Component component = as_component(node, key);
  if (component.is("manual")) return parse_manual(component);
  if (component.is("custom")) return parse_custom(component);
  ClusterConfig cluster;
  if (component.is("slurm")) {
    cluster.kind = ClusterKind::slurm;
  } else if (component.is("mpi")) {
    cluster.kind = ClusterKind::mpi;
  } else if (component.is("distributed")) {
    cluster.kind = ClusterKind::distributed;
  } else {
    refuse(component, cluster_kinds());
  }
  const bool mpi = cluster.kind == ClusterKind::mpi;
  const MapReader reader(component.options(""), component.key,
                         mpi ? std::vector<std::string>{"use_mpi_backend"} : std::vector<std::string>{});
  if (mpi) reader.unsupported("use_mpi_backend", "leave it out: ranks talk over NCCL or Gloo");
  return cluster;
}

std::string runner_name(const Component& component, bool plugins) {
  if (component.is("default") || component.is("forecaster") || component.is("offset-forecaster")) return "forecaster";
  if (component.is("auto") || component.is("no-model")) return component.is("auto") ? "auto" : "no-model";
  if (!plugins) refuse(component, runner_kinds());
  return component.name;
}

RunnerConfig parse_parallel(const Component& component, bool plugins) {
  const Node options = component.options("base_runner");
  const auto path = [&](const char* name) { return component.key + "." + name; };
  if (const Node* size = options.find("world_size"); size != nullptr && !plugins) {
    throw UserError("unknown key `" + path("world_size") + "`", size->where.text(),
                    "write cluster: {manual: " + size->shown() + "}, or world_size at the top level");
  }
  RunnerConfig config;
  config.parallel = true;
  config.name = "forecaster";
  Node rest = options;  // belongs to the base runner; those built in have no options
  rest.remove("base_runner");
  rest.remove("cluster");
  if (plugins) {
    config.base_options = rest.to_json();
  } else if (!rest.entries.empty()) {
    const MapReader no_others(options, component.key, {"base_runner", "cluster"});
  }
  if (const Node* base = options.find("base_runner"); base != nullptr && !base->is_null()) {
    const Component named{as_text(*base, path("base_runner")), base->where, path("base_runner"), {}};
    if (named.is("parallel")) {
      throw UserError("the base runner of `parallel` cannot be parallel itself", base->where.text(),
                      "write base_runner: default");
    }
    config.name = runner_name(named, plugins);
  }
  if (const Node* cluster = options.find("cluster")) config.cluster = parse_cluster(*cluster, path("cluster"));
  return config;
}

}  // namespace

RunnerConfig parse_runner(const Node& runner, const Node* world_size, const Node* cluster, bool plugins) {
  const Component component = as_component(runner, "runner");
  RunnerConfig config;
  if (component.is("parallel")) {
    config = parse_parallel(component, plugins);
  } else {
    config.name = runner_name(component, plugins);
    const Node options = component.options("");
    if (plugins) {
      config.base_options = options.to_json();
    } else {
      const MapReader no_options(options, component.key, {});
    }
  }
  for (const auto& [node, name] : {std::pair(world_size, "world_size"), std::pair(cluster, "cluster")}) {
    if (node == nullptr || config.parallel) continue;
    throw UserError("`" + std::string(name) + "` needs a parallel runner, but `runner` is " + component.name,
                    node->where.text(), "write runner: parallel, or leave " + std::string(name) + " out");
  }
  if (cluster != nullptr) {
    if (config.cluster.kind != ClusterKind::automatic) {
      throw UserError("`cluster` is given twice, here and in `" + component.key + "`", cluster->where.text(),
                      "keep one of them");
    }
    config.cluster = parse_cluster(*cluster, "cluster");
  }
  if (world_size != nullptr) {
    config.world_size = world_size_of(*world_size, "world_size");
    if (config.cluster.world_size && config.cluster.world_size != config.world_size) {
      throw UserError("`world_size` is " + std::to_string(*config.world_size) + ", but the cluster says " +
                          std::to_string(*config.cluster.world_size),
                      world_size->where.text(), "keep one of them");
    }
  }
  return config;
}

}  // namespace tradewind::config
