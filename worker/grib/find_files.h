// Which files a GRIB input stands for. Each file counts once, whatever links lead to it, each folder is listed once,
// and what is left out is told.
// Errors: UserError when there is none, or when the path itself cannot be looked at; EnvironmentFault where the system
// fails. Thread-safe.
#pragma once

#include <string>
#include <vector>

namespace tradewind::grib {

struct FoundFiles {
  std::vector<std::string> files;     // sorted
  std::vector<std::string> warnings;  // what was left out that the user may have meant, and why
};

// path: a file, the *.grib, *.grb, *.grb2, *.grib2 below a folder, or what a glob matches (`**` reaches into folders,
// but follows no links).
FoundFiles find_files(const std::string& path);

}  // namespace tradewind::grib
