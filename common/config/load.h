// From the command line to the typed run configuration: files, defaults, overrides and interpolations put together into
// one document, the document into RunConfig, and the document as JSON for the workers, which parse it again.
// Pure functions but for the files they read; thread-safe. Errors: UserError with file:line:column, key and remedy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config/nodes/findings.h"
#include "common/config/nodes/node.h"
#include "common/config/run_config.h"
#include "common/dates.h"
#include "common/env.h"

namespace tradewind::config {

struct LoadRequest {
  std::string config;                  // path, or an override when is_override(), then there is no file
  std::vector<std::string> defaults;   // paths, merged first, in order
  std::vector<std::string> overrides;  // key=value, in order
};

// Everything RunConfig depends on, so that all ranks get the same: nothing of the surroundings is read later.
struct ConfigDocument {
  Node root;                             // a map, without interpolations
  std::string name;                      // what was read: the config's path, or "the command line"
  Time today{};                          // day that `date: 0` means
  std::optional<std::string> base_seed;  // ANEMOI_BASE_SEED
  bool plugins = false;                  // runners may come from libraries (TRADEWIND_PLUGINS)
  std::vector<std::string> sources;      // as their locations name them: the configuration, defaults, overrides
};

// Whether what stands in the place of a configuration file is key=value: it holds `=`, is no file that is there, and
// what stands before `=` can be a key (not: exp/lead=5/config.yaml).
bool is_override(const std::string& config);

// `patch_metadata: FILE` is replaced by what the file holds. What does not fit is noted in `findings`, and the rest
// goes on as if it were not there; a file that cannot be read or is no YAML ends it.
ConfigDocument merge_config(const LoadRequest& request, const Environment& environment, Time now, Findings& findings);
ConfigDocument merge_config(const LoadRequest& request, const Environment& environment, Findings& findings);  // now
// Throws what was found wrong.
ConfigDocument merge_config(const LoadRequest& request, const Environment& environment, Time now);

// The merged configuration alone, without places: for showing and for reports.
Json plain_json(const ConfigDocument& document);
// With places, for the way to the workers. document_from_json throws InternalFault when the JSON is not ours.
Json to_json(const ConfigDocument& document);
ConfigDocument document_from_json(const Json& json);

// Validates every key. When `findings` gets a refusal, what it is about is left at its default.
RunConfig parse_run_config(const ConfigDocument& document, Findings& findings);
// Throws what was found wrong.
RunConfig parse_run_config(const ConfigDocument& document);

// What can be seen to be wrong before anything starts: the checkpoint, inputs and templates that are not there.
void check_files(const RunConfig& config, const ConfigDocument& document, Findings& findings);

}  // namespace tradewind::config
