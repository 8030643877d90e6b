// Which GRIB keys make a message of a field: parameter, level, dates, steps and what the configuration adds.
// Pure, thread-safe. Errors: UserError for a step that is not whole hours.
#pragma once

#include <map>
#include <string>

#include "common/checkpoint/metadata.h"
#include "common/config/outputs/grib_output.h"
#include "common/dates.h"
#include "worker/grib/handle.h"

namespace tradewind::grib {

struct FieldTime {
  Time base{};               // reference date of the forecast
  Duration step{};           // end of the step
  Duration previous_step{};  // start of the step, for variables whose period is unknown
};

// The configuration's share of the keys.
struct KeyRules {
  Json encoding = Json::object();
  Json grib1_keys = Json::object(), grib2_keys = Json::object();  // param -> keys
  bool ensemble = false;  // product template 11 instead of 8 for fields over a period

  static KeyRules from(const config::GribOutputConfig& config);
};

// What a template says about the keys of a message made of it.
struct TemplateFacts {
  TemplateFacts(const Handle& message)  // NOLINT(google-explicit-constructor): a message is its facts
      : edition(message.integer("edition").value_or(1)), local(message.integer("localUsePresent").value_or(0) != 0) {}
  long edition;
  bool local;  // has a local section
};

// Keys in the order in which they are to be set: edition, typeOfLevel, stepType, productDefinitionTemplateNumber, eps,
// number, then the others as given. `start_steps` overrides where a variable's period starts.
Json grib_keys(const checkpoint::Variable& variable, const TemplateFacts& message_template, const KeyRules& rules,
               const FieldTime& time, const std::map<std::string, Duration>& start_steps);

// The base date and time that the keys say.
Time encoded_base(const Json& keys);

}  // namespace tradewind::grib
