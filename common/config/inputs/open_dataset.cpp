#include "common/config/inputs/open_dataset.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "common/config/nodes/path_text.h"
#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

// Options of the reference that change what is read and are not built. Refused unless null, false or empty.
constexpr std::array refused = {"datasets",
                                "join",
                                "concat",
                                "merge",
                                "ensemble",
                                "grids",
                                "cutout",
                                "complement",
                                "synthetic",
                                "xy",
                                "x",
                                "y",
                                "zip",
                                "chain",
                                "adjust",
                                "mask",
                                "rescale",
                                "number",
                                "numbers",
                                "member",
                                "members",
                                "interpolate_frequency",
                                "interpolate_variables",
                                "rolling_average",
                                "fill_missing_dates",
                                "fill_missing_gaps",
                                "extend_start",
                                "extend_end",
                                "skip_missing_dates",
                                "expected_access",
                                "set_missing_dates",
                                "set_group",
                                "shuffle",
                                "min_distance_km",
                                "cropping_distance",
                                "neighbours",
                                "missing_dates"};
// Options that change nothing of what a forecast reads.
constexpr std::array without_effect = {"statistics", "statistics_tendencies", "name", "trajectory"};

bool digits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

[[noreturn]] void refuse_date(const Node& node, const std::string& key) {
  throw UserError(quoted(key) + " cannot be " + node.kind_text(), node.where.text(),
                  "write a year (2020), a month (2020-01), a day (2020-01-31) or a moment ('2020-01-31T06:00:00')");
}

// 2020, 202001 or 20200131.
DatePeriod period_of(const std::string& text, const Node& node, const std::string& key) {
  using namespace std::chrono;
  const auto number = [&](std::size_t at, std::size_t count) { return std::stoi(text.substr(at, count)); };
  const year y(number(0, 4));
  if (text.size() == 4) return {sys_days(y / 1 / 1), sys_days((y + years(1)) / 1 / 1)};
  const year_month m = y / number(4, 2);
  if (!m.ok()) refuse_date(node, key);
  if (text.size() == 6) return {sys_days(m / 1), sys_days((m + months(1)) / 1)};
  const year_month_day d = m / number(6, 2);
  if (!d.ok()) refuse_date(node, key);
  return {sys_days(d), sys_days(d) + days(1)};
}

DatePeriod as_period(const Node& node, const std::string& key) {
  std::string text;
  if (node.is(Node::Kind::integer))
    text = node.shown();
  else if (node.is_text())
    text = node.text();
  const bool moment = text.find(':') != std::string::npos || text.find('T') != std::string::npos;
  if (!moment && text.size() <= 10) {
    std::string bare = text;
    std::erase(bare, '-');
    if (digits(bare) && (bare.size() == 4 || bare.size() == 6 || bare.size() == 8)) return period_of(bare, node, key);
  }
  if (!moment) refuse_date(node, key);
  const Time time = as_date(node, key);
  return {time, time + std::chrono::seconds(1)};
}

bool is_store(const std::string& path) {
  return path.ends_with(".zarr") || path.ends_with(".zip") || path.ends_with(".vz");
}

std::string as_store(const Node& node, const std::string& key) {
  std::string path = as_path(node, key);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.find("://") != std::string::npos)
    throw UserError(quoted(key) + " is an address, '" + clipped(path) + "'; only files can be read", node.where.text(),
                    "copy the store to a folder first, and write its path");
  if (!is_store(path))
    throw UserError(quoted(key) + " names a dataset, '" + clipped(path) +
                        "', which the reference looks up in anemoi's settings; Tradewind does not read them",
                    node.where.text(), "write the path of the store, which ends in .zarr or .zip");
  return path;
}

void parse_reorder(OpenDataset& out, const Node& node, const std::string& key) {
  if (node.is_text() && node.text() == "sort") {
    out.sort = true;
  } else if (node.is_map()) {
    std::vector<std::pair<std::int64_t, std::string>> places;
    for (const Node::Entry& entry : node.entries)
      places.emplace_back(as_integer(entry.value, key + "." + entry.key), entry.key);
    std::stable_sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    out.reorder.emplace();
    for (auto& [place, name] : places) out.reorder->push_back(std::move(name));
  } else {
    out.reorder = as_texts(node, key);
  }
}

void parse_variables(OpenDataset& out, const MapReader& reader) {
  reader.take_set("select",
                  [&](const Node& node, const std::string& key) { out.select = as_text_or_texts(node, key); });
  reader.take_set("drop", [&](const Node& node, const std::string& key) { out.drop = as_text_or_texts(node, key); });
  reader.take_set("reorder", [&](const Node& node, const std::string& key) { parse_reorder(out, node, key); });
  reader.take_set("rename", [&](const Node& node, const std::string& key) {
    for (const Node::Entry& entry : as_map(node, key).entries)
      out.rename.emplace_back(entry.key, as_text(entry.value, key + "." + entry.key));
  });
}

void parse_points(OpenDataset& out, const MapReader& reader) {
  constexpr std::int64_t most = std::int64_t{1} << 30;
  const auto whole = [](const Node& node, const std::string& key, std::int64_t least) {
    const std::int64_t value = as_integer(node, key);
    if (value >= least && value <= most) return value;
    throw UserError(quoted(key) + " cannot be " + node.kind_text(), node.where.text(),
                    "write a whole number from " + std::to_string(least));
  };
  const auto four = [](const Node& node, const std::string& key) -> const std::vector<Node>& {
    if (as_list(node, key).items.size() == 4) return node.items;
    throw UserError(quoted(key) + " has " + std::to_string(node.items.size()) + " numbers, four are needed",
                    node.where.text(), "write four numbers");
  };
  reader.take_set("trim_edge", [&](const Node& node, const std::string& key) {
    out.trim_edge.emplace();
    for (std::size_t i = 0; i < 4; ++i)
      (*out.trim_edge)[i] = node.is_list() ? whole(four(node, key)[i], key, 0) : whole(node, key, 0);
  });
  reader.take_set("thinning", [&](const Node& node, const std::string& key) { out.thinning = whole(node, key, 1); });
  reader.take_set("method", [](const Node& node, const std::string& key) { as_choice(node, key, {"every-nth"}); });
  reader.take_set("area", [&](const Node& node, const std::string& key) {
    out.area.emplace();
    for (std::size_t i = 0; i < 4; ++i) (*out.area)[i] = as_number(four(node, key)[i], key);
  });
}

void parse_dates(OpenDataset& out, const MapReader& reader) {
  reader.take_set("start", [&](const Node& node, const std::string& key) { out.start = as_period(node, key); });
  reader.take_set("end", [&](const Node& node, const std::string& key) { out.end = as_period(node, key); });
  reader.take_set("frequency", [&](const Node& node, const std::string& key) {
    out.frequency = as_duration(node, key);
    if (*out.frequency <= Duration::zero())
      throw UserError(quoted(key) + " must be more than nothing", node.where.text(), "write for example 6h");
  });
}

// Of what the options are: a path, or again a map of options.
void parse_source(OpenDataset& out, const Node& node, const std::string& key, Findings& findings) {
  if (node.is_list() && node.items.size() == 1) {
    parse_source(out, node.items.front(), key + ".0", findings);
  } else if (node.is_map() || node.is_list()) {
    out.inner.push_back(parse_open_dataset(node, key, findings));
  } else {
    out.path = as_store(node, key);
    out.path_at = {key, node.where.text()};
  }
}

OpenDataset parse_options(const Node& node, const std::string& key, Findings& findings) {
  const MapReader reader(node, key, open_dataset_keys(), findings);
  OpenDataset out;
  const bool other = std::any_of(refused.begin(), refused.end(), [&](const char* name) { return reader.meant(name); });
  if (!other || reader.find_set("dataset") != nullptr)
    reader.need("dataset", node.where, "write dataset: STORE.zarr",
                [&](const Node& source, const std::string& path) { parse_source(out, source, path, findings); });
  parse_dates(out, reader);
  parse_variables(out, reader);
  parse_points(out, reader);
  for (const char* name : refused)
    reader.unsupported(
        name, "give one store with select, drop, rename, reorder, start, end, frequency, trim_edge, thinning and area");
  for (const char* name : without_effect)
    if (reader.find_set(name) != nullptr)
      findings.warn(reader.where(name), quoted(reader.path(name)) + " has no effect on a forecast");
  return out;
}

Node node_of(const Json& value, const Location& where) {
  if (value.is_array()) {
    Node list = Node::list(where);
    for (const Json& item : value) list.items.push_back(node_of(item, where));
    return list;
  }
  if (value.is_object()) {
    Node map = Node::map(where);
    for (const auto& [name, item] : value.items()) map.set(name, where, node_of(item, where));
    return map;
  }
  return Node::of(value, where);
}

}  // namespace

void OpenDataset::uses(Uses& uses) const {
  if (!path.empty())
    uses.paths.push_back({.names = PathUse::Names::sources, .path = path, .role = "the input", .at = path_at});
  for (const OpenDataset& one : inner) one.uses(uses);
}

const std::vector<std::string>& open_dataset_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = {"dataset", "start",  "end",       "frequency", "select", "drop",
                                    "reorder", "rename", "trim_edge", "thinning",  "method", "area"};
    all.insert(all.end(), refused.begin(), refused.end());
    all.insert(all.end(), without_effect.begin(), without_effect.end());
    return all;
  }();
  return keys;
}

OpenDataset parse_open_dataset(const Node& node, const std::string& key, Findings& findings) {
  if (node.is_map()) return parse_options(node, key, findings);
  OpenDataset out;
  if (node.is_list()) {
    if (node.items.size() != 1)
      throw UserError(quoted(key) + " has " + std::to_string(node.items.size()) + " datasets, one is supported",
                      node.where.text(), "give one store");
    parse_source(out, node.items.front(), key + ".0", findings);
  } else {
    parse_source(out, node, key, findings);
  }
  return out;
}

OpenDataset parse_open_dataset(const Json& value, const std::string& place) {
  Findings findings;
  OpenDataset out;
  findings.attempt([&] {
    out = parse_open_dataset(node_of(value, Location{.source = place, .line = 0, .column = 0}), "dataset", findings);
  });
  findings.throw_refusals();
  return out;
}

}  // namespace tradewind::config
