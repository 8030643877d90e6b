// What the messages of one or many GRIB files hold, found in one scan, so that only what is wanted is decoded.
// Thread-safe to read once its headers are known.
// Errors: UserError naming file, message number and offset; EnvironmentFault naming a file that was changed meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/dates.h"
#include "worker/grib/file_set.h"
#include "worker/grib/handle.h"
#include "worker/grib/namer.h"
#include "worker/grib/scan.h"

namespace tradewind::grib {

struct IndexedMessage {
  std::size_t file = 0;    // which of Index::files()
  std::size_t number = 0;  // in its file, from 1
  Extent extent;
  std::string name;          // the checkpoint's variable, or param[_level]
  std::string param, level;  // of the message itself; level: empty at the surface
  Time base_time{};          // of the forecast
  Time valid_time{};         // base time + end of step
  std::int64_t points = 0;
  std::size_t grid = 0;  // Index::grid() of it
};

// What scan_files() found.
struct ScannedFiles {
  std::vector<std::string> paths;
  std::vector<FileState> states;         // of the paths; see FileSet
  std::vector<IndexedMessage> messages;  // in order; nothing of their headers
  std::vector<std::string> warnings;     // files without a message
};

class Index {
 public:
  Index(const std::vector<std::string>& files, const Namer& namer);
  // Headers are to follow.
  explicit Index(ScannedFiles scanned);
  // Identity, time, points and grid of message i: read from the file, or known from elsewhere.
  void read_header(std::size_t i, const Namer& namer);
  struct Times {
    Time base{}, valid{};
  };
  void set_header(std::size_t i, Identified identity, Times times, std::int64_t points, std::string_view grid);
  const std::vector<std::string>& files() const { return files_.paths(); }
  const std::vector<IndexedMessage>& messages() const { return messages_; }
  // The description of a grid (grid_section()), which has its number once.
  const std::string& grid(std::size_t number) const { return *grids_.at(number); }
  std::size_t grid_count() const { return grids_.size(); }
  std::string location(const IndexedMessage& message) const;
  std::string bytes(const IndexedMessage& message) const;
  Handle open(const IndexedMessage& message) const;
  // That the files of these messages are still those that were read.
  void check_unchanged(const std::vector<const IndexedMessage*>& messages) const;

 private:
  FileSet files_;
  std::vector<IndexedMessage> messages_;
  std::map<std::string, std::size_t, std::less<>> grid_numbers_;
  std::vector<const std::string*> grids_;  // keys of the map
};

// Where the messages of the files lie.
ScannedFiles scan_files(std::vector<std::string> files);

// Of the forecast; and plus the end of the step.
Time base_time(const Handle& message);
Time valid_time(const Handle& message);

}  // namespace tradewind::grib
