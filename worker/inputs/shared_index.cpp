#include "worker/inputs/shared_index.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "worker/dist/texts.h"
#include "worker/grib/find_files.h"

namespace tradewind::inputs {
namespace {

using Json = nlohmann::json;

// Bytes (paths, descriptions of grids) as a text that JSON can hold, and back.
std::string hex_of(const std::string& bytes) {
  static constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += {digits[value >> 4], digits[value & 15]};
  }
  return text;
}

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

Json numbers_of(const std::vector<grib::Range>& parts) {
  Json numbers = Json::array();
  for (const grib::Range& part : parts) numbers.push_back({part.offset, part.length});
  return numbers;
}

// Files with their sizes, and of each message file, number, offset, length and parts.
std::string text_of(const grib::ScannedFiles& scanned) {
  Json files = Json::array(), messages = Json::array(), sizes = Json::array();
  for (const std::string& path : scanned.paths) files.push_back(hex_of(path));
  for (const grib::FileState& state : scanned.states) sizes.push_back(state.size);
  for (const grib::IndexedMessage& message : scanned.messages) {
    messages.push_back({message.file, message.number, message.extent.offset, message.extent.length});
    if (!message.extent.parts.empty()) messages.back().push_back(numbers_of(message.extent.parts));
  }
  return Json{{"files", files}, {"sizes", sizes}, {"messages", messages}}.dump();
}

grib::ScannedFiles scanned_from(const std::string& text) {
  const Json found = Json::parse(text);
  grib::ScannedFiles scanned;
  for (const Json& path : found["files"]) scanned.paths.push_back(bytes_of(path.get<std::string>()));
  // Each host may see its own copy of the files, so that only their sizes must be rank 0's.
  for (const Json& size : found["sizes"]) scanned.states.push_back({.size = size.get<std::uint64_t>()});
  for (const Json& one : found["messages"]) {
    grib::IndexedMessage message{.file = one[0].get<std::size_t>(),
                                 .number = one[1].get<std::size_t>(),
                                 .extent = {one[2].get<std::uint64_t>(), one[3].get<std::uint64_t>()}};
    if (one.size() > 4)
      for (const Json& part : one[4])
        message.extent.parts.push_back({part[0].get<std::uint64_t>(), part[1].get<std::uint64_t>()});
    scanned.messages.push_back(std::move(message));
  }
  return scanned;
}

// The files of rank 0, and what it has to say of them.
grib::ScannedFiles scan(const std::string& path) {
  grib::FoundFiles found = grib::find_files(path);
  grib::ScannedFiles scanned = grib::scan_files(std::move(found.files));
  scanned.warnings.insert(scanned.warnings.begin(), found.warnings.begin(), found.warnings.end());
  return scanned;
}

}  // namespace

grib::Index index_together(const std::string& path, const grib::Namer& namer, dist::Communicator& communicator,
                           std::vector<std::string>& warnings) {
  const bool first = communicator.rank() == 0;
  const auto rank = static_cast<std::size_t>(communicator.rank()),
             ranks = static_cast<std::size_t>(communicator.size());
  grib::ScannedFiles scanned;
  if (first) scanned = scan(path);
  if (ranks > 1) {
    const std::string text = dist::text_of_first(communicator, first ? text_of(scanned) : std::string(), "input.index");
    if (!first) scanned = scanned_from(text);
  }
  warnings = scanned.warnings;
  grib::Index index(std::move(scanned));
  Json headers = Json::array(), grids = Json::array();
  for (std::size_t i = rank; i < index.messages().size(); i += ranks) {
    index.read_header(i, namer);
    const grib::IndexedMessage& message = index.messages()[i];
    if (ranks > 1)
      headers.push_back({message.name, message.param, message.level, message.base_time.time_since_epoch().count(),
                         message.valid_time.time_since_epoch().count(), message.points, message.grid});
  }
  if (ranks == 1) return index;
  for (std::size_t grid = 0; grid < index.grid_count(); ++grid) grids.push_back(hex_of(index.grid(grid)));
  const std::vector<std::string> all = dist::gather_texts(
      communicator, Json{{"grids", grids}, {"headers", headers}}.dump(-1, ' ', false, Json::error_handler_t::replace),
      "input.index");
  for (std::size_t other = 0; other < ranks; ++other) {
    if (other == rank) continue;
    const Json theirs = Json::parse(all[other]);
    std::vector<std::string> sections;
    for (const Json& grid : theirs["grids"]) sections.push_back(bytes_of(grid.get<std::string>()));
    std::size_t i = other;
    for (const Json& one : theirs["headers"]) {
      const auto text = [&](std::size_t part) { return one[part].get<std::string>(); };
      const auto time = [&](std::size_t part) { return Time(Duration(one[part].get<std::int64_t>())); };
      index.set_header(i, {text(0), text(1), text(2)}, {time(3), time(4)}, one[5].get<std::int64_t>(),
                       sections.at(one[6].get<std::size_t>()));
      i += ranks;
    }
  }
  return index;
}

}  // namespace tradewind::inputs
