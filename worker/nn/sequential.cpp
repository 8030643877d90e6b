#include "worker/nn/sequential.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "worker/nn/move.h"

namespace tradewind::nn {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

Sequential::Sequential(const checkpoint::SequentialDescription& description, Precision precision) {
  for (const checkpoint::SequentialLayer& layer : description.layers) {
    layers_.push_back(std::visit(
        Overloaded{[&](const checkpoint::LinearDescription& linear) -> Layer { return Linear(linear, precision); },
                   [](const checkpoint::LayerNormDescription& norm) -> Layer { return LayerNorm(norm); },
                   [](checkpoint::Activation activation) -> Layer { return activation; },
                   [&](const checkpoint::GatedDescription& gated) -> Layer {
                     return Gated{Linear(gated.gate, precision), Linear(gated.value, precision), gated.activation};
                   }},
        layer));
    widest_ = std::max(widest_, outputs(0));
  }
}

void Sequential::move_to(at::Device device) {
  for (Layer& layer : layers_) {
    std::visit(
        Overloaded{[&](Linear& linear) { linear.move_to(device); }, [&](LayerNorm& norm) { norm.move_to(device); },
                   [](checkpoint::Activation) {}, [&](Gated& gated) { move_all(device, gated.gate, gated.value); }},
        layer);
  }
}

std::int64_t Sequential::outputs(std::int64_t inputs) const {
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    if (const auto* linear = std::get_if<Linear>(&*layer)) return linear->outputs();
    if (const auto* norm = std::get_if<LayerNorm>(&*layer)) return norm->size();
    if (const auto* gated = std::get_if<Gated>(&*layer)) return gated->value.outputs();
  }
  return inputs;
}

void Sequential::operator()(const at::Tensor& x, at::Tensor out, bool add, Workspace& workspace) const {
  run(x, false, std::move(out), add, workspace);
}

void Sequential::consume(at::Tensor x, at::Tensor out, bool add, Workspace& workspace) const {
  run(std::move(x), true, std::move(out), add, workspace);
}

// own: whether `current` may be written to
void Sequential::run(at::Tensor current, bool own, at::Tensor out, bool add, Workspace& workspace) const {
  const std::int64_t rows = current.size(0);
  Workspace::Purpose next = Workspace::inner;
  const auto take = [&](std::int64_t columns) {
    at::Tensor taken = workspace.take(next, rows, columns);
    next = next == Workspace::inner ? Workspace::inner_other : Workspace::inner;
    return taken;
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto* linear = std::get_if<Linear>(&layers_[i]);
    auto after = checkpoint::Activation::identity;
    if (linear && i + 1 < layers_.size()) {
      if (const auto* next_layer = std::get_if<checkpoint::Activation>(&layers_[i + 1])) {
        after = *next_layer;
        ++i;
      }
    }
    const bool last = i + 1 == layers_.size();
    if (linear) {
      if (last && add && after == checkpoint::Activation::identity) {
        linear->add(current, out, workspace);
        return;
      }
      at::Tensor result = last && !add ? out : take(linear->outputs());
      (*linear)(current, result, workspace, after);
      if (last && !add) return;
      current = result;
    } else if (const auto* norm = std::get_if<LayerNorm>(&layers_[i])) {
      at::Tensor result = last && !add ? out : own ? current : take(norm->size());
      (*norm)(current, result, workspace);
      if (last && !add) return;
      current = result;
    } else if (const auto* gated = std::get_if<Gated>(&layers_[i])) {
      at::Tensor gate = workspace.take(Workspace::gate, rows, gated->gate.outputs());
      gated->gate(current, gate, workspace, gated->activation);
      at::Tensor result = take(gated->value.outputs());
      gated->value(current, result, workspace);
      current = result.mul_(gate);
    } else {
      if (!own) current = take(current.size(1)).copy_(current);
      activate(std::get<checkpoint::Activation>(layers_[i]), current, workspace);
    }
    own = true;
  }
  if (add) {
    out.add_(current);
  } else {
    out.copy_(current);
  }
}

}  // namespace tradewind::nn
