// The capability of an input to give the GRIB messages of what it has read, for templates of outputs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "worker/grib/template_set.h"
#include "worker/inputs/input.h"

namespace tradewind::inputs {

class TemplateSource {
 public:
  virtual ~TemplateSource() = default;
  // Whole messages of what was read, latest date, to be read again when needed.
  virtual std::shared_ptr<const grib::TemplateSet> templates(const std::vector<std::string>& variables) = 0;
};

// Of the input and of those it is made of; empty when none of them can.
std::shared_ptr<const grib::TemplateSet> templates_of(Input& input, const std::vector<std::string>& variables);

}  // namespace tradewind::inputs
