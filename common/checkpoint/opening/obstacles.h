// A checkpoint opened for a run, and whether it can run, told once: `inspect`, the launcher before it starts anything,
// and the worker ask the same function, which says everything that stands in the way at once, each with its place in
// the file and the way out. Pure, thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/generations/summary.h"
#include "common/refusals.h"

namespace tradewind::checkpoint {

// What is wanted of a checkpoint, as far as it decides whether it can be had.
struct Wanted {
  bool forecast = true;          // else only the model's calls, on raw tensors
  bool precision_given = false;  // by the config: the checkpoint's own then does not count
  Json patch_metadata = Json::object();
};

// As much of a checkpoint as could be read.
struct Examined {
  std::shared_ptr<const archive::Archive> archive;
  std::shared_ptr<const void> contents;  // what the description's tensors lie in
  TreeSummary summary;
  std::vector<Metadata> metadata;  // of each dataset; none: it could not be read
  std::optional<ModelDescription> model;
  Refusals obstacles;  // in the order metadata, model, both together; none: it can be run
};

// UserError (of several: Refused) when the file cannot be opened or is no checkpoint at all.
Examined examine(const std::string& path, const Wanted& wanted = {});

// The same list for who wants nothing else; a file that is no checkpoint is one of them.
Refusals obstacles(const std::string& path, const Wanted& wanted = {});

// UserError when anything stands in the way; of several things, a Refused that lists them all.
Checkpoint open_checkpoint(const std::string& path, const Wanted& wanted = {});

}  // namespace tradewind::checkpoint
