// The capability of an output to make its messages from GRIB messages of the run's input.
#pragma once

#include <memory>

#include "worker/grib/template_set.h"
#include "worker/outputs/output.h"

namespace tradewind::outputs {

class TemplateUser {
 public:
  virtual ~TemplateUser() = default;
  // Before prepare() and the first write(); without, the input has none.
  virtual void take_templates(std::shared_ptr<const grib::TemplateSet> messages) = 0;
};

// To the output and to those that it is made of, as far as they can.
void give_templates(Output& output, const std::shared_ptr<const grib::TemplateSet>& messages);

}  // namespace tradewind::outputs
