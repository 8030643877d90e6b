#include "worker/nn/samplers.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/errors.h"

namespace tradewind::nn {
namespace {

Fields to(const Fields& fields, at::ScalarType type) {
  Fields out;
  out.reserve(fields.size());
  for (const at::Tensor& field : fields) out.push_back(field.to(type));
  return out;
}

// Adds noise to y, up to the level that is returned.
double churn(const sampling::Sampler& sampler, std::size_t steps, double sigma, Fields& y, const Draw& draw) {
  if (!(sampler.churn > 0) || sigma < sampler.churn_min || sigma > sampler.churn_max) return sigma;
  const double gamma = std::min(sampler.churn / static_cast<double>(steps), std::sqrt(2.0) - 1);
  const double higher = sigma + gamma * sigma;
  const double added = std::sqrt(higher * higher - sigma * sigma);
  for (std::size_t i = 0; i < y.size(); ++i) y[i].add_(draw(i).mul_(sampler.churn_noise), added);
  return higher;
}

// (y - clean) / sigma, for each field.
Fields directions(const Fields& y, const Fields& clean, double sigma) {
  Fields out;
  out.reserve(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) out.push_back(y[i].sub(clean[i]).div_(sigma));
  return out;
}

Fields denoise_heun(const sampling::Sampler& sampler, const std::vector<double>& levels, Fields y,
                    const Network& network, const Draw& draw) {
  const std::size_t steps = levels.size() - 1;
  for (std::size_t step = 0; step < steps; ++step) {
    const double sigma = churn(sampler, steps, levels[step], y, draw), next = levels[step + 1];
    const Fields direction = directions(y, network(to(y, at::kFloat), sigma), sigma + sampler.precision);
    Fields ahead;
    for (std::size_t i = 0; i < y.size(); ++i) ahead.push_back(y[i].add(direction[i], next - sigma));
    if (next == 0) {
      y = std::move(ahead);
      continue;
    }
    const Fields clean = network(to(ahead, at::kFloat), next);
    for (std::size_t i = 0; i < y.size(); ++i) {
      ahead[i].sub_(clean[i]).div_(next + sampler.precision).add_(direction[i]);
      y[i].add_(ahead[i].mul_(next - sigma).div_(2));
    }
  }
  return to(y, at::kFloat);
}

// Between steps y is float32, as in the reference.
Fields denoise_multistep(const std::vector<double>& levels, Fields y, const Network& network) {
  constexpr double kLeast = 1e-10;
  y = to(y, at::kFloat);
  Fields last;  // what y was taken for a step before
  for (std::size_t step = 0; step + 1 < levels.size(); ++step) {
    const double sigma = levels[step], next = levels[step + 1];
    Fields clean = network(y, sigma);
    if (next == 0) return to(clean, at::kFloat);
    const double t = -std::log(sigma + kLeast), h = -std::log(next + kLeast) - t;
    const double before = step > 0 ? -std::log(levels[step - 1] + kLeast) : 0;
    clean = to(clean, at::kDouble);
    for (std::size_t i = 0; i < y.size(); ++i) {
      at::Tensor towards = clean[i];
      if (step > 0) {
        const double ratio = (t - before) / h;
        towards = clean[i].mul(1 + 1 / (2 * ratio)).add_(last[i], -1 / (2 * ratio));
      }
      y[i] = y[i].to(at::kDouble).mul_(next / sigma).sub_(towards, std::exp(-h) - 1).to(at::kFloat);
    }
    last = std::move(clean);
  }
  return y;
}

Fields move_euler(const std::vector<double>& levels, Fields y, const Network& network) {
  for (std::size_t step = 0; step + 1 < levels.size(); ++step) {
    const Fields speed = network(to(y, at::kFloat), levels[step]);
    for (std::size_t i = 0; i < y.size(); ++i) y[i].add_(speed[i], levels[step + 1] - levels[step]);
  }
  return to(y, at::kFloat);
}

Fields move_heun(const sampling::Sampler& sampler, const std::vector<double>& levels, Fields y,
                 const Network& network) {
  for (std::size_t step = 0; step + 1 < levels.size(); ++step) {
    const double time = levels[step], next = levels[step + 1];
    const Fields speed = network(to(y, at::kFloat), time);
    Fields ahead;
    for (std::size_t i = 0; i < y.size(); ++i) ahead.push_back(y[i].add(speed[i], next - time));
    if (sampler.euler_final_step && step + 2 == levels.size()) {
      y = std::move(ahead);
      continue;
    }
    const Fields speed_ahead = network(to(ahead, at::kFloat), next);
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i].add_(speed[i].to(at::kDouble).add_(speed_ahead[i]).mul_(next - time).div_(2));
    }
  }
  return to(y, at::kFloat);
}

}  // namespace

Fields denoise(const sampling::Sampler& sampler, const std::vector<double>& levels, Fields y, const Network& network,
               const Draw& draw) {
  if (sampler.name == "heun") return denoise_heun(sampler, levels, std::move(y), network, draw);
  if (sampler.name == "dpmpp_2m") return denoise_multistep(levels, std::move(y), network);
  throw InternalFault("a sampler that removes no noise: " + sampler.name);
}

Fields move_in_time(const sampling::Sampler& sampler, const std::vector<double>& levels, Fields y,
                    const Network& network) {
  Fields moving;  // its own: y may be somebody's
  for (const at::Tensor& field : y) moving.push_back(field.to(at::kDouble, false, true));
  if (sampler.name == "euler") return move_euler(levels, std::move(moving), network);
  if (sampler.name == "heun") return move_heun(sampler, levels, std::move(moving), network);
  throw InternalFault("a sampler that moves nothing: " + sampler.name);
}

}  // namespace tradewind::nn
