// How a transport model comes from a source field to a result, by calls of its network. Works on any tensors of equal
// shape, those of each dataset, and so on a rank's own rows. What the network takes and gives is float32, what a
// sampler keeps float64. Formulas: Karras et al. 2022, algorithm 2 (heun); Lu et al. 2022, DPM-Solver++ 2M;
// anemoi-models' transport_samplers. Stateless.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "common/sampling/sampling.h"

namespace tradewind::nn {

using Fields = std::vector<at::Tensor>;
// What the network makes of y at a level. Collective.
using Network = std::function<Fields(const Fields& y, double level)>;
// Standard normal numbers, float64, for the field of one dataset.
using Draw = std::function<at::Tensor(std::size_t dataset)>;

// y: float64, noise of the first level. network: the field that y is taken for without its noise, of that level.
Fields denoise(const sampling::Sampler& sampler, const std::vector<double>& levels, Fields y, const Network& network,
               const Draw& draw);
// y: where the time is levels.front(). network: how y moves in time, at that time.
Fields move_in_time(const sampling::Sampler& sampler, const std::vector<double>& levels, Fields y,
                    const Network& network);

}  // namespace tradewind::nn
