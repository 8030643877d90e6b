// YAML text into nodes: YAML 1.1 scalars, merge keys (`<<`), anchors, one document, no tags but the standard ones.
// Pure functions, thread-safe. Errors: UserError with file, line and column; EnvironmentFault when a file is
// unreadable.
#pragma once

#include <string>
#include <vector>

#include "common/config/nodes/node.h"

namespace tradewind::config {

struct YamlOptions {
  bool timestamps = true;          // rewrite plain timestamps in their canonical form
  bool refuse_duplicates = false;  // false: the last one wins, with a warning
};

// An empty document is null. `warnings` gets a line for every duplicate key.
Node load_yaml(const std::string& text, const std::string& source, const YamlOptions& options,
               std::vector<std::string>& warnings);
// Of a file; one that is not there is a UserError.
Node load_yaml_file(const std::string& path, const YamlOptions& options, std::vector<std::string>& warnings);
// The right side of an override, on which every node's location is `where`.
Node load_yaml_value(const std::string& text, const Location& where);

}  // namespace tradewind::config
