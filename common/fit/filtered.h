// What variables a state will have behind filters, by their names alone. Internal to common/fit.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/checkpoint/field_names.h"
#include "common/config/filters/filters.h"

namespace tradewind::fit {

class Filtered {
 public:
  Filtered(const checkpoint::Metadata& metadata, const std::set<std::string>& variables);
  // How many variables the filter means; nullopt: it is none that means some of them.
  std::optional<std::size_t> apply(const config::FilterConfig& filter);
  std::set<std::string> names() const;

 private:
  struct Variable {
    std::string name, param, level;
  };
  std::size_t apply(const config::TransformConfig& transform, bool backward);
  std::size_t rename(const std::string& from, const std::string& to);
  std::size_t directions(const config::CosSinMeanWaveDirection& waves, bool backward);
  std::size_t mask(const config::ApplyMask& mask);
  std::size_t count(const std::vector<std::string>& params) const;
  void set_param(Variable& variable, const std::string& param) const;

  checkpoint::FieldNames field_names_;
  std::vector<Variable> variables_;
};

}  // namespace tradewind::fit
