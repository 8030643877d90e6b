#include "worker/outputs/template_user.h"

namespace tradewind::outputs {

void give_templates(Output& output, const std::shared_ptr<const grib::TemplateSet>& messages) {
  if (auto* user = dynamic_cast<TemplateUser*>(&output)) user->take_templates(messages);
  for (Output* part : output.parts()) give_templates(*part, messages);
}

}  // namespace tradewind::outputs
