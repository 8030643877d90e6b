// What the messages of one or many GRIB files hold, found in one scan, so that only what is wanted is decoded.
// Thread-safe to read once its headers are known.
// Errors: UserError naming file, message number and offset.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/dates.h"
#include "worker/grib/handle.h"
#include "worker/grib/namer.h"
#include "worker/grib/scan.h"

namespace tradewind::grib {

struct IndexedMessage {
  std::size_t file = 0;    // which of Index::files()
  std::size_t number = 0;  // in its file, from 1
  Extent extent;
  std::string name;   // the checkpoint's variable, or param[_level]
  Time valid_time{};  // base time + end of step
  std::int64_t points = 0;
};

class Index {
 public:
  Index(const std::vector<std::string>& files, const Namer& namer);
  // With what scan_files() found; headers are to follow.
  Index(std::vector<std::string> files, std::vector<IndexedMessage> messages);
  // Name, time and points of message i: read from the file, or known from elsewhere.
  void read_header(std::size_t i, const Namer& namer);
  void set_header(std::size_t i, std::string name, Time valid_time, std::int64_t points);
  const std::vector<std::string>& files() const { return files_; }
  const std::vector<IndexedMessage>& messages() const { return messages_; }
  std::string place(const IndexedMessage& message) const;
  std::string bytes(const IndexedMessage& message) const;
  Handle open(const IndexedMessage& message) const;

 private:
  std::vector<std::string> files_;
  std::vector<std::unique_ptr<FileReader>> readers_;
  std::vector<IndexedMessage> messages_;
};

// Where the messages of the files lie, in order; nothing of their headers.
std::vector<IndexedMessage> scan_files(const std::vector<std::string>& files);

// Base time plus the end of the step.
Time valid_time(const Handle& message);

}  // namespace tradewind::grib
