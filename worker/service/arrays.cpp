#include "worker/service/arrays.h"

#include <ATen/ops/from_blob.h>

namespace tradewind::service {
namespace {

constexpr std::size_t alignment = 64;

Array place(std::string name, std::vector<std::int64_t> shape, std::size_t& bytes) {
  Array array{std::move(name), std::move(shape), bytes};
  std::size_t size = sizeof(float);
  for (const std::int64_t extent : array.shape) size *= static_cast<std::size_t>(extent);
  bytes += (size + alignment - 1) / alignment * alignment;
  return array;
}

}  // namespace

Layout layout_of(const checkpoint::ModelDescription& model, std::int64_t samples) {
  Layout layout;
  const bool one = model.datasets.size() == 1;
  for (const checkpoint::DatasetDescription& dataset : model.datasets) {
    const std::string suffix = one ? std::string() : "/" + dataset.name;
    layout.x.push_back(place("x" + suffix, {samples, dataset.input_steps, dataset.nodes.count, dataset.input_variables},
                             layout.bytes));
    layout.y.push_back(dataset.decoder
                           ? place("y" + suffix,
                                   {samples, dataset.output_steps, dataset.nodes.count, dataset.output_variables},
                                   layout.bytes)
                           : Array{});
  }
  if (model.noise) {
    layout.noise.push_back(place("noise", {samples, model.noise->rows, model.noise->channels}, layout.bytes));
  } else if (model.transport && one) {
    layout.noise.push_back(place("noise", layout.y.front().shape, layout.bytes));
  }
  return layout;
}

nlohmann::ordered_json to_json(const Layout& layout) {
  auto arrays = nlohmann::ordered_json::array();
  for (const auto* list : {&layout.x, &layout.y, &layout.noise})
    for (const Array& array : *list)
      if (!array.name.empty())
        arrays.push_back({{"name", array.name}, {"shape", array.shape}, {"offset", array.offset}});
  return arrays;
}

at::Tensor tensor_of(const SharedBlock& block, const Array& array) {
  return at::from_blob(block.floats(array.offset), array.shape, at::kFloat);
}

}  // namespace tradewind::service
