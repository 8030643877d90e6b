// What fields of a parameter on a level are called, and the other way round: as the metadata has it, else param or
// param_level. Immutable, thread-safe; the metadata outlives it.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "common/checkpoint/metadata.h"

namespace tradewind::checkpoint {

struct ParamLevel {
  std::string param, level;  // level: empty when there is none
};

class FieldNames {
 public:
  explicit FieldNames(const Metadata& metadata);
  std::string name_of(const std::string& param, const std::string& level) const;
  ParamLevel identity_of(const std::string& variable) const;

 private:
  const Metadata& metadata_;
  std::map<std::pair<std::string, std::string>, std::string> names_;
};

}  // namespace tradewind::checkpoint
