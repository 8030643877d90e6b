// What changes a state on its way to an output, on the rows that a rank has: nothing is gathered for it. A filter may
// change values, variables and grid. Not thread-safe. Errors: UserError for options that do not fit the state.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>

#include "common/archive/archive.h"
#include "common/checkpoint/metadata.h"
#include "common/config/filters/filters.h"
#include "worker/fields/state.h"

namespace tradewind::filters {

class Filter {
 public:
  virtual ~Filter() = default;
  // What the filter makes of a state without values: its variables, start steps and grid. The same on every rank.
  virtual void describe(fields::State& state) const = 0;
  // The same of one with values. States come in the order of their steps. The tensor is replaced, not written into.
  virtual void apply(fields::State& state) = 0;
  // Whether apply() depends on nothing but the state it is given. Who does not say so, and does not implement
  // KeepsFields, cannot be gone on with after an interruption.
  virtual bool keeps_nothing() const { return false; }
};

// Of a filter that keeps fields from step to step and can be gone on with from them.
class KeepsFields {
 public:
  virtual ~KeepsFields() = default;
  // This rank's rows, float32, contiguous, by variable.
  virtual std::map<std::string, at::Tensor> kept() const = 0;
  virtual void take_up(std::map<std::string, at::Tensor> kept) = 0;
};

struct FilterContext {
  const checkpoint::Metadata& metadata;  // with typed_variables; outlives the filter
  int rank = 0;
  std::shared_ptr<const archive::Archive> archive = {};  // of the checkpoint's arrays; null: none can be read
  const checkpoint::Metadata* named_by = nullptr;  // by which fields have their names, as in the reference: without
                                                   // typed_variables; null: the same
};

std::unique_ptr<Filter> make_filter(const config::FilterConfig& config, const FilterContext& context);

}  // namespace tradewind::filters
