#include "worker/grib/index.h"

#include <set>

#include "common/errors.h"
#include "worker/grib/sections.h"

namespace tradewind::grib {

namespace {

constexpr const char* no_time = "the GRIB message has no date, time or step";

}  // namespace

Time base_time(const Handle& message) {
  const auto date = message.integer("dataDate"), time = message.integer("dataTime");
  if (!date || !time) throw UserError(no_time, message.where());
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(*date / 10000)),
                                        std::chrono::month(static_cast<unsigned>(*date % 10000 / 100)),
                                        std::chrono::day(static_cast<unsigned>(*date % 100)));
  if (!day.ok() || *time < 0 || *time / 100 > 23 || *time % 100 > 59)
    throw UserError("the GRIB message has an impossible date " + std::to_string(*date) + " " + std::to_string(*time),
                    message.where());
  return std::chrono::sys_days(day) + std::chrono::hours(*time / 100) + std::chrono::minutes(*time % 100);
}

Time valid_time(const Handle& message) {
  const Time base = base_time(message);
  const auto step = message.text("endStep");
  if (!step) throw UserError(no_time, message.where());
  return base + parse_duration(*step);
}

ScannedFiles scan_files(std::vector<std::string> files) {
  ScannedFiles scanned{.paths = std::move(files), .states = {}, .messages = {}, .warnings = {}};
  for (std::size_t file = 0; file < scanned.paths.size(); ++file) {
    const FileReader reader(scanned.paths[file]);
    std::size_t number = 0;
    for (Extent& extent : scan_messages(reader, scanned.paths[file]))
      scanned.messages.push_back({.file = file, .number = ++number, .extent = std::move(extent)});
    reader.check_unchanged();
    scanned.states.push_back(reader.state());
    if (number == 0) scanned.warnings.push_back("the input's file " + scanned.paths[file] + " is empty");
  }
  return scanned;
}

Index::Index(ScannedFiles scanned)
    : files_(std::move(scanned.paths), std::move(scanned.states)), messages_(std::move(scanned.messages)) {}

Index::Index(const std::vector<std::string>& files, const Namer& namer) : Index(scan_files(files)) {
  for (std::size_t i = 0; i < messages_.size(); ++i) read_header(i, namer);
}

void Index::read_header(std::size_t i, const Namer& namer) {
  const std::string whole = bytes(messages_.at(i)), where = location(messages_[i]);
  const Handle handle = Handle::from_bytes(whole, where);
  set_header(i, namer.identify(handle), {grib::base_time(handle), grib::valid_time(handle)},
             handle.integer("numberOfDataPoints").value_or(0), grid_section(whole, where));
}

void Index::set_header(std::size_t i, Identified identity, Times times, std::int64_t points, std::string_view grid) {
  IndexedMessage& message = messages_.at(i);
  message.name = std::move(identity.name);
  message.param = std::move(identity.param);
  message.level = std::move(identity.level);
  message.base_time = times.base;
  message.valid_time = times.valid;
  message.points = points;
  auto known = grid_numbers_.find(grid);
  if (known == grid_numbers_.end()) {
    known = grid_numbers_.emplace(grid, grids_.size()).first;
    grids_.push_back(&known->first);
  }
  message.grid = known->second;
}

std::string Index::location(const IndexedMessage& message) const {
  return grib::location(files()[message.file], message.number, message.extent.offset);
}

std::string Index::bytes(const IndexedMessage& message) const { return files_.read(message.file, message.extent); }

Handle Index::open(const IndexedMessage& message) const {
  return Handle::from_bytes(bytes(message), location(message));
}

void Index::check_unchanged(const std::vector<const IndexedMessage*>& messages) const {
  std::set<std::size_t> used;
  for (const IndexedMessage* message : messages) used.insert(message->file);
  for (const std::size_t file : used) files_.check_unchanged(file);
}

}  // namespace tradewind::grib
