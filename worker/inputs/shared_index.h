// The index of a GRIB input, made by all ranks together: rank 0 finds the files and where their messages lie, and each
// rank reads the headers of its part of them. So a file is scanned once per run, whatever the number of ranks.
// Collective. Errors: UserError naming file, message number and offset, on the rank that met it.
#pragma once

#include <string>
#include <vector>

#include "worker/dist/communicator.h"
#include "worker/grib/index.h"

namespace tradewind::inputs {

// path: a file, folder or glob, seen by every rank. `warnings`, on rank 0: what was left out.
grib::Index index_together(const std::string& path, const grib::Namer& namer, dist::Communicator& communicator,
                           std::vector<std::string>& warnings);

}  // namespace tradewind::inputs
