#include "worker/grib/index.h"

#include "common/errors.h"

namespace tradewind::grib {

Time valid_time(const Handle& message) {
  const auto date = message.integer("dataDate"), time = message.integer("dataTime");
  const auto step = message.text("endStep");
  if (!date || !time || !step) throw UserError("the GRIB message has no date, time or step", message.where());
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(*date / 10000)),
                                        std::chrono::month(static_cast<unsigned>(*date % 10000 / 100)),
                                        std::chrono::day(static_cast<unsigned>(*date % 100)));
  if (!day.ok() || *time < 0 || *time / 100 > 23 || *time % 100 > 59)
    throw UserError("the GRIB message has an impossible date " + std::to_string(*date) + " " + std::to_string(*time),
                    message.where());
  return std::chrono::sys_days(day) + std::chrono::hours(*time / 100) + std::chrono::minutes(*time % 100) +
         parse_duration(*step);
}

std::vector<IndexedMessage> scan_files(const std::vector<std::string>& files) {
  std::vector<IndexedMessage> messages;
  for (std::size_t file = 0; file < files.size(); ++file) {
    const FileReader reader(files[file]);
    std::size_t number = 0;
    for (const Extent& extent : scan_messages(reader, files[file]))
      messages.push_back({.file = file, .number = ++number, .extent = extent});
  }
  return messages;
}

Index::Index(std::vector<std::string> files, std::vector<IndexedMessage> messages)
    : files_(std::move(files)), messages_(std::move(messages)) {
  for (const std::string& file : files_) readers_.push_back(std::make_unique<FileReader>(file));
}

Index::Index(const std::vector<std::string>& files, const Namer& namer) : Index(files, scan_files(files)) {
  for (std::size_t i = 0; i < messages_.size(); ++i) read_header(i, namer);
}

void Index::read_header(std::size_t i, const Namer& namer) {
  IndexedMessage& message = messages_.at(i);
  const Handle handle = open(message);
  message.name = namer(handle);
  message.valid_time = grib::valid_time(handle);
  message.points = handle.integer("numberOfDataPoints").value_or(0);
}

void Index::set_header(std::size_t i, std::string name, Time valid_time, std::int64_t points) {
  IndexedMessage& message = messages_.at(i);
  message.name = std::move(name);
  message.valid_time = valid_time;
  message.points = points;
}

std::string Index::place(const IndexedMessage& message) const {
  return grib::place(files_[message.file], message.number, message.extent.offset);
}

std::string Index::bytes(const IndexedMessage& message) const { return readers_[message.file]->read(message.extent); }

Handle Index::open(const IndexedMessage& message) const { return Handle::from_bytes(bytes(message), place(message)); }

}  // namespace tradewind::grib
