// `tradewind inspect CHECKPOINT`: what is in it, whether this build can run it, and the memory that it will need.
// Reads the checkpoint in this process, without LibTorch, in milliseconds.
#pragma once

#include <iosfwd>
#include <string>

namespace tradewind::launcher {

struct InspectOptions {
  std::string checkpoint;
  bool json = false;
  int world_size = 1;
  bool verify = false;  // read it all, and hold its checksums against it
};

// Returns 0 also when the checkpoint cannot be run: the report says so, and why.
// UserError when the file cannot be opened or is no checkpoint, or for a world size below 1.
int inspect(const InspectOptions& options, std::ostream& out);

}  // namespace tradewind::launcher
