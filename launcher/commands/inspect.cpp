#include "launcher/inspect/inspect.h"

#include <iostream>
#include <memory>
#include <variant>

#include "launcher/commands/checked_config.h"
#include "launcher/commands/commands.h"

namespace tradewind::launcher {
namespace {

std::string name_of(const config::TransformConfig& transform) {
  return std::visit([](const auto& one) { return std::string(std::decay_t<decltype(one)>::kind); },
                    static_cast<const config::TransformKinds&>(transform));
}
std::string name_of(const config::ForwardTransform& filter) { return name_of(filter.transform); }
std::string name_of(const config::BackwardTransform& filter) { return name_of(filter.transform) + " (backward)"; }
template <typename Filter>
std::string name_of(const Filter& /*filter*/) {
  return Filter::kind;
}

template <typename Filters>
std::vector<std::string> names_of(const Filters& filters) {
  std::vector<std::string> names;
  for (const auto& filter : filters) names.push_back(std::visit([](const auto& one) { return name_of(one); }, filter));
  return names;
}

class Places {
 public:
  void add(const std::string& place, std::vector<std::string> filters) {
    if (!filters.empty()) found_.push_back({place, std::move(filters)});
  }
  void add_input(const std::string& key, const config::InputConfig& input) {
    if (const auto* grib = std::get_if<config::GribInputConfig>(&input)) add(key, names_of(grib->pre_processors));
    if (const auto* repeated = std::get_if<config::RepeatedDatesConfig>(&input)) add_input(key, *repeated->source);
  }
  void add_output(const std::string& key, const config::OutputConfig& output) {
    for (const config::OutputLeaf& leaf : leaves_of(output)) {
      std::vector<std::string> names;
      for (const config::FilterConfig* filter : leaf.filters)
        names.push_back(std::visit([](const auto& one) { return name_of(one); }, *filter));
      const std::string kind = std::visit([](const auto& one) { return std::string(one.kind); }, *leaf.output);
      add(key + "." + kind, std::move(names));
    }
  }
  std::vector<FilterPlace> found() && { return std::move(found_); }

 private:
  std::vector<FilterPlace> found_;
};

// In the order in which a field meets them.
std::vector<FilterPlace> filters_of(const config::RunConfig& config) {
  Places places;
  const auto add_inputs = [&](const config::RunConfig& one, const std::string& dataset) {
    places.add_input("input" + dataset, one.input);
    if (one.constant_forcings) places.add_input("constant_forcings" + dataset, *one.constant_forcings);
    if (one.dynamic_forcings) places.add_input("dynamic_forcings" + dataset, *one.dynamic_forcings);
  };
  const auto each = [&](const auto& take) {
    if (config.datasets.empty()) return take(config, std::string());
    for (const auto& [name, parts] : config.datasets) take(config::for_dataset(config, name), "." + name);
  };
  each(add_inputs);
  places.add("pre_processors", names_of(config.pre_processors));
  places.add("post_processors", names_of(config.post_processors));
  each([&](const config::RunConfig& one, const std::string& dataset) {
    places.add_output("output" + dataset, one.output);
  });
  return std::move(places).found();
}

}  // namespace

int inspect(const InspectCommand& command, const Environment& environment) {
  InspectOptions options{command.checkpoint, command.json, command.world_size, command.verify, {}};
  if (!command.config.empty()) {
    const CheckedConfig checked = read_config({.config = command.config, .defaults = {}, .overrides = {}}, environment);
    for (const std::string& warning : checked.findings.warnings()) std::cerr << "warning: " << warning << '\n';
    checked.findings.throw_refusals();
    const config::RunConfig& config = checked.config;
    options.config = {filters_of(config), config.sampling, config.precision, config.patch_metadata};
  }
  return inspect(options, std::cout);
}

}  // namespace tradewind::launcher
