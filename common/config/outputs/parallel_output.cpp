#include "common/config/outputs/parallel_output.h"

#include <limits>

#include "common/config/nodes/reader.h"
#include "common/config/outputs/outputs.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

// Which chunks of the fields go to which file.
void parse_chunks(const Node& node, const std::string& key, ParallelWriters& writers, Findings& findings) {
  const Component strategy = as_component(node, key);
  if (strategy.is("by_worker")) {
    const MapReader none(strategy.options(""), strategy.key, {}, findings);
  } else if (strategy.is("by_size")) {
    const MapReader reader(strategy.options(""), strategy.key, {"fields_per_chunk"}, findings);
    reader.need("fields_per_chunk", strategy.where, "write by_size: {fields_per_chunk: 10}",
                [&](const Node& size, const std::string& size_key) {
                  writers.fields_per_chunk = positive(size, size_key, std::numeric_limits<int>::max());
                });
  } else {
    refuse(strategy, {"chunk strategy", {"by_worker", "by_size"}, {"by_metadata"}, {}});
  }
}

}  // namespace

// The inner output stands below `output`, or directly beside num_writers.
ParallelOutputConfig ParallelOutputConfig::parse(const Component& component, Findings& findings) {
  const Node options = component.options("");
  Node inner = options;
  for (const char* own : {"num_writers", "chunk_strategy", "output"}) inner.remove(own);
  std::string key = component.key;
  if (const Node* given = options.find("output"); given != nullptr && !given->is_null()) {
    const MapReader no_others(options, component.key, {"num_writers", "chunk_strategy", "output"}, findings);
    inner = *given;
    key += ".output";
  } else if (inner.entries.empty()) {
    throw UserError("`" + component.key + ".output` is missing", component.where.text(),
                    "write parallel: {num_writers: 2, output: {grib: FILE}}");
  }
  ParallelOutputConfig config;
  config.output = std::make_shared<const OutputConfig>(GribOutputConfig{});
  findings.attempt([&] {
    config.output =
        std::make_shared<const OutputConfig>(parse_split_output(inner, key, quoted(component.key), findings));
  });
  const auto option = [&](const std::string& name, const auto& take) {
    const Node* node = options.find(name);
    if (node == nullptr || node->is_null()) return;
    findings.attempt([&] { take(*node, component.key + "." + name); });
  };
  option("num_writers", [&](const Node& node, const std::string& path) {
    config.writers.count = positive(node, path, std::numeric_limits<int>::max());
  });
  option("chunk_strategy",
         [&](const Node& node, const std::string& path) { parse_chunks(node, path, config.writers, findings); });
  return config;
}

void ParallelOutputConfig::uses(Uses& uses) const {
  const std::size_t before = uses.paths.size();
  output->uses(uses);
  for (std::size_t i = before; i < uses.paths.size(); ++i)
    if (uses.paths[i].how != PathUse::How::reads) uses.paths[i].parts = writers.count;
}

}  // namespace tradewind::config
