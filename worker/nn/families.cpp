// The table of families: which class computes which description. A description without a row does not compile.
#include <variant>

#include "worker/nn/graph_conv_mapper.h"
#include "worker/nn/graph_conv_processor.h"
#include "worker/nn/graph_transformer_mapper.h"
#include "worker/nn/graph_transformer_processor.h"
#include "worker/nn/mapper.h"
#include "worker/nn/point_wise.h"
#include "worker/nn/processor.h"
#include "worker/nn/transformer_mapper.h"
#include "worker/nn/transformer_processor.h"

namespace tradewind::nn {
namespace {

template <class Description>
struct LayerOf;
template <>
struct LayerOf<checkpoint::GraphTransformerMapperDescription> {
  using type = GraphTransformerMapper;
};
template <>
struct LayerOf<checkpoint::TransformerProcessorDescription> {
  using type = TransformerProcessor;
};
template <>
struct LayerOf<checkpoint::GraphTransformerProcessorDescription> {
  using type = GraphTransformerProcessor;
};
template <>
struct LayerOf<checkpoint::GraphConvMapperDescription> {
  using type = GraphConvMapper;
};
template <>
struct LayerOf<checkpoint::GraphConvProcessorDescription> {
  using type = GraphConvProcessor;
};

template <>
struct LayerOf<checkpoint::TransformerMapperDescription> {
  using type = TransformerMapper;
};
template <>
struct LayerOf<checkpoint::PointWiseMapperDescription> {
  using type = PointWiseMapper;
};
template <>
struct LayerOf<checkpoint::PointWiseProcessorDescription> {
  using type = PointWiseProcessor;
};

template <class Interface, class Variant, class Context>
std::unique_ptr<Interface> make(const Variant& variant, const Context& context) {
  return std::visit(
      [&]<class Description>(const Description& description) -> std::unique_ptr<Interface> {
        return std::make_unique<typename LayerOf<Description>::type>(description, context);
      },
      variant);
}

}  // namespace

std::unique_ptr<Mapper> make_mapper(const checkpoint::MapperDescription& description, const MapperContext& context) {
  return make<Mapper>(description, context);
}

std::unique_ptr<Processor> make_processor(const checkpoint::ProcessorDescription& description,
                                          const ProcessorContext& context) {
  return make<Processor>(description, context);
}

}  // namespace tradewind::nn
