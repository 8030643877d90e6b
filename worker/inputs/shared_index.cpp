#include "worker/inputs/shared_index.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "worker/dist/texts.h"

namespace tradewind::inputs {
namespace {

using Json = nlohmann::json;

// What rank 0 found: files, and of each message file, number, offset and length.
std::string scanned(const std::string& path) {
  const std::vector<std::string> files = grib::expand_path(path);
  Json messages = Json::array();
  for (const grib::IndexedMessage& message : grib::scan_files(files))
    messages.push_back({message.file, message.number, message.extent.offset, message.extent.length});
  return Json{{"files", files}, {"messages", messages}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

grib::Index index_together(const std::string& path, const grib::Namer& namer, dist::Communicator& communicator) {
  const bool first = communicator.rank() == 0;
  const Json found =
      Json::parse(dist::text_of_first(communicator, first ? scanned(path) : std::string(), "input.index"));
  std::vector<grib::IndexedMessage> messages;
  for (const Json& one : found["messages"]) {
    messages.push_back({.file = one[0].get<std::size_t>(),
                        .number = one[1].get<std::size_t>(),
                        .extent = {one[2].get<std::uint64_t>(), one[3].get<std::uint64_t>()}});
  }
  grib::Index index(found["files"].get<std::vector<std::string>>(), std::move(messages));
  const auto rank = static_cast<std::size_t>(communicator.rank()),
             ranks = static_cast<std::size_t>(communicator.size());
  Json own = Json::array();
  for (std::size_t i = rank; i < index.messages().size(); i += ranks) {
    index.read_header(i, namer);
    const grib::IndexedMessage& message = index.messages()[i];
    own.push_back({message.name, message.valid_time.time_since_epoch().count(), message.points});
  }
  if (ranks == 1) return index;
  const std::vector<std::string> all = dist::gather_texts(communicator, own.dump(), "input.index");
  for (std::size_t other = 0; other < ranks; ++other) {
    if (other == rank) continue;
    std::size_t i = other;
    for (const Json& one : Json::parse(all[other])) {
      index.set_header(i, one[0].get<std::string>(), Time(Duration(one[1].get<std::int64_t>())),
                       one[2].get<std::int64_t>());
      i += ranks;
    }
  }
  return index;
}

}  // namespace tradewind::inputs
