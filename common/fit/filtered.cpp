#include "common/fit/filtered.h"

#include <algorithm>

namespace tradewind::fit {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <typename... Each>
struct Overloaded : Each... {
  using Each::operator()...;
};

}  // namespace

Filtered::Filtered(const checkpoint::Metadata& metadata, const std::set<std::string>& variables)
    : field_names_(metadata) {
  for (const std::string& name : variables) {
    auto [param, level] = field_names_.identity_of(name);
    variables_.push_back({name, std::move(param), std::move(level)});
  }
}

std::set<std::string> Filtered::names() const {
  std::set<std::string> names;
  for (const Variable& variable : variables_) names.insert(variable.name);
  return names;
}

void Filtered::set_param(Variable& variable, const std::string& param) const {
  variable.param = param;
  variable.name = field_names_.name_of(param, variable.level);
}

std::size_t Filtered::count(const std::vector<std::string>& params) const {
  return static_cast<std::size_t>(std::count_if(variables_.begin(), variables_.end(),
                                                [&](const Variable& each) { return holds(params, each.param); }));
}

std::size_t Filtered::rename(const std::string& from, const std::string& to) {
  std::size_t renamed = 0;
  for (Variable& variable : variables_)
    if (variable.param == from) {
      set_param(variable, to);
      ++renamed;
    }
  return renamed;
}

std::size_t Filtered::directions(const config::CosSinMeanWaveDirection& waves, bool backward) {
  const std::vector<std::string> from = backward ? std::vector{waves.cosine, waves.sine} : std::vector{waves.direction},
                                 to = backward ? std::vector{waves.direction} : std::vector{waves.cosine, waves.sine};
  const std::size_t meant = count(from);
  if (meant == 0) return 0;
  std::erase_if(variables_, [&](const Variable& each) { return holds(from, each.param); });
  for (const std::string& param : to) variables_.push_back({field_names_.name_of(param, ""), param, ""});
  return meant;
}

std::size_t Filtered::mask(const config::ApplyMask& mask) {
  if (mask.field && !mask.keeps_mask)
    std::erase_if(variables_, [&](const Variable& each) { return each.param == *mask.field; });
  std::size_t meant = 0;
  for (Variable& variable : variables_) {
    if (!mask.params.empty() && !holds(mask.params, variable.param)) continue;
    ++meant;
    if (mask.suffix) set_param(variable, variable.param + "_" + *mask.suffix);
  }
  return meant;
}

std::size_t Filtered::apply(const config::TransformConfig& transform, bool backward) {
  const Overloaded visit{[&](const config::CosSinMeanWaveDirection& kind) { return directions(kind, backward); },
                         [&](const config::ApplyMask& kind) { return mask(kind); },
                         [&](const config::Rescale& kind) { return count({kind.param}); },
                         [&](const config::ImputeNans& kind) { return count(kind.params); },
                         [&](const config::Clip& kind) { return count({kind.param}); },
                         [&](const config::Rename& kind) {
                           std::size_t renamed = 0;
                           for (Variable& variable : variables_)
                             if (const auto to = kind.params.find(variable.param); to != kind.params.end()) {
                               set_param(variable, to->second);
                               ++renamed;
                             }
                           return renamed;
                         },
                         [&](const config::Drop& kind) {
                           return std::erase_if(variables_, [&](const Variable& each) {
                             return (kind.params.empty() || holds(kind.params, each.param)) &&
                                    (kind.levels.empty() || holds(kind.levels, each.level));
                           });
                         },
                         [&](const config::OrogToZ& kind) {
                           return backward != kind.reversed ? rename(kind.geopotential, kind.orography)
                                                            : rename(kind.orography, kind.geopotential);
                         },
                         [&](const config::Noop&) { return variables_.size(); }};
  return std::visit(visit, static_cast<const config::TransformKinds&>(transform));
}

std::optional<std::size_t> Filtered::apply(const config::FilterConfig& filter) {
  if (const auto* forward = std::get_if<config::ForwardTransform>(&filter)) return apply(forward->transform, false);
  if (const auto* backward = std::get_if<config::BackwardTransform>(&filter)) return apply(backward->transform, true);
  return std::nullopt;
}

}  // namespace tradewind::fit
