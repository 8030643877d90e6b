// Finds the message that serves as template for a variable's output: asks the configured providers in order (default:
// input, then builtin). What serves many variables is kept; a message of one variable is opened anew each time, since a
// handle takes several times the memory of its message. find() is thread-safe, and the handles it returns may be cloned
// by any thread. Errors: UserError for a template file that cannot be read.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/config/outputs/grib_templates.h"
#include "worker/grib/builtin.h"
#include "worker/grib/handle.h"
#include "worker/grib/identity.h"
#include "worker/grib/namer.h"
#include "worker/grib/template_set.h"

namespace tradewind::grib {

class Templates {
 public:
  // `corners`: first and last point of the data grid, for builtin templates of regular grids.
  Templates(std::vector<config::TemplateConfig> providers, const checkpoint::Metadata& metadata,
            std::shared_ptr<const TemplateSet> input, std::optional<Corners> corners, Json encoding);

  // nullptr when no provider has one.
  std::shared_ptr<const Handle> find(const std::string& variable);
  // What grib_keys() needs of it; nullopt when there is none. Kept.
  std::optional<TemplateFacts> facts(const std::string& variable);
  // What was asked of whom, for the error when there is none.
  std::string tried(const std::string& variable) const;

 private:
  using Found = std::shared_ptr<const Handle>;
  Found from(const config::InputTemplates& provider, const checkpoint::Variable& variable);
  Found from(const config::BuiltinTemplates& provider, const checkpoint::Variable& variable);
  Found from(const config::FileTemplates& provider, const checkpoint::Variable& variable);
  Found from(const config::SampleTemplates& provider, const checkpoint::Variable& variable);
  Json lookup(const checkpoint::Variable& variable) const;

  std::vector<config::TemplateConfig> providers_;
  const checkpoint::Metadata& metadata_;
  std::shared_ptr<const TemplateSet> input_;
  std::optional<Corners> corners_;
  Json encoding_;
  std::string grid_;
  std::mutex mutex_;
  std::map<std::string, std::optional<TemplateFacts>> facts_;  // by variable
  std::map<std::string, Found> made_;                          // by what they were made of
};

}  // namespace tradewind::grib
