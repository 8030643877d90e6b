// The parts of check_fit. Internal to common/fit.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/fit/fit.h"

namespace tradewind::fit {

// What one configuration is held against, and where what is found goes.
struct Case {
  const config::RunConfig& config;
  const config::ConfigDocument& document;
  const checkpoint::Metadata& metadata;  // of the dataset whose parts these are; of all in one where they share them
  const checkpoint::Metadata& whole;     // of all in one
  config::Findings& findings;

  // Of a top-level key's value; the document's beginning when it is not given.
  const config::Location& where(const std::string& key) const;
};

// At an Origin in the configuration.
void refuse(Case& one, const config::Origin& at, const std::string& what, const std::string& remedy);
void warn(Case& one, const config::Origin& at, const std::string& what);

void check_runner(Case& one);     // against the checkpoint's task
void check_times(Case& one);      // lead_time, output_frequency
void check_selection(Case& one);  // variables of outputs, what filters mean
void check_names(Case& one);      // what parts of the configuration name (uses.h), typed_variables

// Of the whole configuration and each dataset.
void check_patch(Case& one);                                                    // patch_metadata
void check_datasets(Case& one, const std::vector<std::string>& of_checkpoint);  // the names that parts are given for

// The variables that outputs get, behind all filters.
std::set<std::string> made_by_filters(const Case& one);

}  // namespace tradewind::fit
