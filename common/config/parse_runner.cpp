#include <limits>

#include "common/config/nodes/reader.h"
#include "common/config/parse.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const Kinds& runner_kinds() {
  static const Kinds runners{
      "runner",
      {"auto", "forecaster", "default", "offset-forecaster", "no-model", "parallel", "temporal_downscaler"},
      {"simple", "external_graph", "runner"}};
  return runners;
}

const Kinds& cluster_kinds() {
  static const Kinds clusters{"cluster", {"manual", "slurm", "mpi", "distributed", "custom"}, {}, {}};
  return clusters;
}

int world_size_of(const Node& node, const std::string& key) {
  return positive(node, key, std::numeric_limits<int>::max());
}

ClusterConfig parse_manual(const Component& component, Findings& findings) {
  const MapReader reader(component.options("world_size"), component.key, {"world_size", "port"}, findings);
  ClusterConfig cluster;
  cluster.kind = ClusterKind::manual;
  reader.need("world_size", component.where, "write manual: 4, the number of ranks",
              [&](const Node& node, const std::string& key) { cluster.world_size = world_size_of(node, key); });
  reader.take_set("port", [&](const Node& node, const std::string& key) { cluster.port = positive(node, key, 65535); });
  return cluster;
}

ClusterConfig parse_custom(const Component& component, Findings& findings) {
  const MapReader reader(
      component.options(""), component.key,
      {"local_rank", "global_rank", "world_size", "master_addr", "master_port", "backend", "init_method"}, findings);
  ClusterConfig cluster;
  cluster.kind = ClusterKind::custom;
  for (const char* name : {"local_rank", "global_rank", "world_size", "master_addr", "master_port"}) {
    reader.need(name, component.where, "name the environment variable that holds it",
                [&](const Node& node, const std::string& key) {
                  std::string variables;
                  for (const std::string& one : as_text_or_texts(node, key))
                    variables += (variables.empty() ? "" : ",") + one;
                  cluster.mapping[name] = variables;
                });
  }
  for (const char* name : {"backend", "init_method"}) {
    reader.take_set(name,
                    [&](const Node& node, const std::string& key) { cluster.mapping[name] = as_text(node, key); });
  }
  return cluster;
}

ClusterConfig parse_cluster(const Node& node, const std::string& key, Findings& findings) {
  if (node.is_null() || (node.is_map() && node.entries.empty())) return {};
  const Component component = as_component(node, key);
  if (component.is("manual")) return parse_manual(component, findings);
  if (component.is("custom")) return parse_custom(component, findings);
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
                         mpi ? std::vector<std::string>{"use_mpi_backend"} : std::vector<std::string>{}, findings);
  if (mpi) reader.unsupported("use_mpi_backend", "leave it out: ranks talk over NCCL or Gloo");
  return cluster;
}

std::string runner_name(const Component& component, bool plugins) {
  if (component.is("default") || component.is("forecaster") || component.is("offset-forecaster")) return "forecaster";
  if (component.is("temporal_downscaler")) return "temporal_downscaler";
  if (component.is("auto") || component.is("no-model")) return component.is("auto") ? "auto" : "no-model";
  if (!plugins) refuse(component, runner_kinds());
  return component.name;
}

RunnerConfig parse_parallel(const Component& component, bool plugins, Findings& findings) {
  const Node options = component.options("base_runner");
  const auto path = [&](const char* name) { return component.key + "." + name; };
  if (const Node* size = options.find("world_size"); size != nullptr && !plugins) {
    findings.refuse(UserError("unknown key " + quoted(path("world_size")), size->where.text(),
                              "write cluster: {manual: " + size->shown() + "}, or world_size at the top level"));
  }
  RunnerConfig config;
  config.parallel = true;
  config.name = "auto";  // where no base runner is named
  Node rest = options;   // belongs to the base runner; those built in have no options
  rest.remove("base_runner");
  rest.remove("cluster");
  if (plugins) {
    config.base_options = rest.to_json();
  } else if (!rest.entries.empty()) {
    rest.remove("world_size");
    const MapReader no_others(rest, component.key, {"base_runner", "cluster"}, findings);
  }
  findings.attempt([&] {
    const Node* base = options.find("base_runner");
    if (base == nullptr || base->is_null()) return;
    const Component named{as_text(*base, path("base_runner")), base->where, path("base_runner"), {}};
    if (named.is("parallel")) {
      throw UserError("the base runner of `parallel` cannot be parallel itself", base->where.text(),
                      "write base_runner: default");
    }
    config.name = runner_name(named, plugins);
  });
  findings.attempt([&] {
    if (const Node* cluster = options.find("cluster"))
      config.cluster = parse_cluster(*cluster, path("cluster"), findings);
  });
  return config;
}

// The top-level keys `cluster` and `world_size`.
void parse_size(RunnerConfig& config, const Component& runner, const Node* world_size, const Node* cluster,
                Findings& findings) {
  if (!config.parallel) {
    for (const auto& [node, name] : {std::pair(world_size, "world_size"), std::pair(cluster, "cluster")}) {
      if (node == nullptr) continue;
      findings.refuse(UserError(quoted(name) + " needs a parallel runner, but `runner` is " + clipped(runner.name),
                                node->where.text(), "write runner: parallel, or leave " + std::string(name) + " out"));
    }
    return;
  }
  findings.attempt([&] {
    if (cluster == nullptr) return;
    if (config.cluster.kind != ClusterKind::automatic) {
      throw UserError("`cluster` is given twice, here and in " + quoted(runner.key), cluster->where.text(),
                      "keep one of them");
    }
    config.cluster = parse_cluster(*cluster, "cluster", findings);
  });
  findings.attempt([&] {
    if (world_size == nullptr) return;
    config.world_size = world_size_of(*world_size, "world_size");
    if (config.cluster.world_size && config.cluster.world_size != config.world_size) {
      throw UserError("`world_size` is " + std::to_string(*config.world_size) + ", but the cluster says " +
                          std::to_string(*config.cluster.world_size),
                      world_size->where.text(), "keep one of them");
    }
  });
}

}  // namespace

RunnerConfig parse_runner(const Node& runner, const Node* world_size, const Node* cluster, bool plugins,
                          Findings& findings) {
  const Component component = as_component(runner, "runner");
  RunnerConfig config;
  if (component.is("parallel")) {
    config = parse_parallel(component, plugins, findings);
  } else {
    config.name = runner_name(component, plugins);
    const Node options = component.options("");
    if (plugins) {
      config.base_options = options.to_json();
    } else {
      const MapReader no_options(options, component.key, {}, findings);
    }
  }
  parse_size(config, component, world_size, cluster, findings);
  return config;
}

}  // namespace tradewind::config
