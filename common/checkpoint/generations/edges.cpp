#include "common/checkpoint/generations/edges.h"

#include <cstring>
#include <string>

#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

struct Span {
  std::int64_t least = 0, largest = -1;
  bool ascending = true;
};

// Over the columns of one row of a (2, e) tensor, where they lie: a big graph has millions.
template <class T>
Span span_of(const std::byte* row, std::int64_t count, std::int64_t stride) {
  Span span;
  T least{}, largest{}, previous{};
  for (std::int64_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, row + i * stride * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    if (i == 0) least = largest = previous = value;
    least = value < least ? value : least;
    largest = value > largest ? value : largest;
    span.ascending &= previous <= value;
    previous = value;
  }
  if (count > 0) {
    span.least = static_cast<std::int64_t>(least);
    span.largest = static_cast<std::int64_t>(largest);
  }
  return span;
}

Span span_of(const TensorDescriptor& tensor, std::int64_t row) {
  const std::int64_t count = tensor.shape[1], stride = tensor.strides[1];
  const std::byte* data = rows_of(tensor, row, 1).data;
  if (tensor.dtype == ScalarType::i32) return span_of<std::int32_t>(data, count, stride);
  if (tensor.dtype == ScalarType::i64) return span_of<std::int64_t>(data, count, stride);
  throw UserError(std::string("edge indices of type ") + name_of(tensor.dtype), tensor.path, "known: i32, i64");
}

void require_range(const Span& span, std::int64_t nodes, std::string_view end, const Node& node) {
  if (span.least >= 0 && span.largest < nodes) return;
  const std::int64_t bad = span.least < 0 ? span.least : span.largest;
  throw UserError("an edge's " + std::string(end) + " is node " + std::to_string(bad) + " of " + std::to_string(nodes),
                  node.path(), "the checkpoint's graph is damaged or belongs to another grid");
}

// Trainable values belong to the stored columns of the edges. Providers that sort their edges when they are built keep
// the permutation, and since 0.16 a version of the layout that says so.
void require_known_layout(const Node& holder) {
  const auto version = holder.find("trainable_layout_version");
  if (version.has_value() != holder.has("perm")) {
    throw UserError("only one of `perm` and `trainable_layout_version` is there", holder.path(),
                    "the order of the edges' trainable values cannot be told; export the checkpoint again");
  }
  if (!version) return;
  const std::int64_t value = to_int64(integer_tensor(*version, {})).at(0);
  if (value != 1) {
    throw UserError("trainable layout version " + std::to_string(value) + " is not supported", version->path(),
                    "known: 1; export the checkpoint again with a recent anemoi-models");
  }
}

}  // namespace

std::optional<TensorDescriptor> read_trainable(const Node& node, std::int64_t rows) {
  if (node.is_none()) return std::nullopt;
  const TensorDescriptor& tensor = floating_tensor(node, {rows, kAnySize});
  return tensor.shape[1] == 0 ? std::nullopt : std::optional(tensor);
}

GraphDescription read_edges(const Node& holder, std::int64_t sources, std::int64_t destinations) {
  if (holder.class_name().find("graph_provider") != std::string::npos) {
    require_class(holder, "graph provider", {"anemoi.models.layers.graph_provider.StaticGraphProvider"});
    refuse_unknown_attributes(holder);
  }
  GraphDescription out;
  out.sources = sources;
  out.destinations = destinations;
  const Node index = holder.at("edge_index_base");
  out.edge_index = integer_tensor(index, {2, kAnySize});
  out.edges = out.edge_index.shape[1];
  require_range(span_of(out.edge_index, 0), sources, "source", index);
  const Span to = span_of(out.edge_index, 1);
  require_range(to, destinations, "destination", index);
  out.sorted_by_destination = to.ascending;
  if (const auto sizes = holder.find("edge_inc")) {
    const auto counts = to_int64(integer_tensor(*sizes, {2, 1}));
    if (counts[0] != sources || counts[1] != destinations) {
      throw UserError("edges between " + std::to_string(counts[0]) + " and " + std::to_string(counts[1]) +
                          " nodes in a model of " + std::to_string(sources) + " and " + std::to_string(destinations),
                      sizes->path());
    }
  }
  out.attributes = floating_tensor(holder.at("edge_attr"), {out.edges, kAnySize});
  const Node trainable = holder.at("trainable");
  require_class(trainable, "trainable tensor", {"anemoi.models.layers.graph.TrainableTensor"});
  refuse_unknown_attributes(trainable);
  require_known_layout(holder);
  out.trainable = read_trainable(trainable.at("trainable"), out.edges);
  return out;
}

std::int64_t edge_channels(const GraphDescription& graph) {
  return graph.attributes.shape[1] + (graph.trainable ? graph.trainable->shape[1] : 0);
}

}  // namespace tradewind::checkpoint
