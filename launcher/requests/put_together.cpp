#include <algorithm>
#include <map>

#include "launcher/requests/requests.h"

namespace tradewind::launcher {
namespace {

bool before(const Json& a, const Json& b) { return a.is_number() == b.is_number() ? a < b : a.is_number(); }

Json sorted_set(Json list) {
  std::sort(list.begin(), list.end(), before);
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

// Those that differ in `key` alone become one.
void join(std::vector<Json>& tables, const std::string& key) {
  std::vector<Json> joined;
  std::map<std::string, std::size_t> places;  // what else they hold -> where in `joined`
  for (Json& table : tables) {
    if (!table.contains(key)) {
      joined.push_back(std::move(table));
      continue;
    }
    Json rest = table;
    rest.erase(key);
    const auto [place, added] = places.try_emplace(nlohmann::json(rest).dump(), joined.size());
    if (added) {
      joined.push_back(std::move(table));
      continue;
    }
    Json& values = joined[place->second][key];
    for (Json& value : table[key]) values.push_back(std::move(value));
    values = sorted_set(std::move(values));
  }
  tables = std::move(joined);
}

}  // namespace

std::vector<Json> put_together(std::vector<Json> fields) {
  std::vector<std::string> keys = {"param", "levelist", "number", "step", "time", "date"};
  for (Json& field : fields) {
    for (auto& [key, value] : field.items()) {
      if (!value.is_array()) value = Json::array({value});
      value = sorted_set(std::move(value));
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  for (const std::string& key : keys) join(fields, key);
  return fields;
}

}  // namespace tradewind::launcher
