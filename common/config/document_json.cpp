// The document's way to the workers: every node as {"at": [source, line, column], value}, sources by number.
#include <algorithm>
#include <cmath>
#include <limits>

#include "common/config/load.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

class Writer {
 public:
  Json location(const Location& where) {
    auto found = std::find(sources_.begin(), sources_.end(), where.source);
    if (found == sources_.end()) found = sources_.insert(found, where.source);
    return Json::array({found - sources_.begin(), where.line, where.column});
  }

  Json node(const Node& node) {
    Json json = {{"at", location(node.where)}};
    if (node.is_list()) {
      json["list"] = Json::array();
      for (const Node& item : node.items) json["list"].push_back(this->node(item));
    } else if (node.is_map()) {
      json["map"] = Json::array();
      for (const Node::Entry& entry : node.entries) {
        json["map"].push_back(Json::array({entry.key, location(entry.where), this->node(entry.value)}));
      }
    } else if (node.is(Node::Kind::real) && !std::isfinite(node.scalar.get<double>())) {
      json["real"] = node.shown();  // JSON has no such number
    } else {
      json["value"] = node.scalar;
    }
    return json;
  }

  const std::vector<std::string>& sources() const { return sources_; }

 private:
  std::vector<std::string> sources_;
};

class Reader {
 public:
  explicit Reader(std::vector<std::string> sources) : sources_(std::move(sources)) {}

  Location location(const Json& json) const {
    return {sources_.at(json.at(0).get<std::size_t>()), json.at(1).get<int>(), json.at(2).get<int>()};
  }

  Node node(const Json& json) const {
    const Location where = location(json.at("at"));
    if (json.contains("list")) {
      Node list = Node::list(where);
      for (const Json& item : json.at("list")) list.items.push_back(node(item));
      return list;
    }
    if (json.contains("map")) {
      Node map = Node::map(where);
      for (const Json& entry : json.at("map")) {
        map.entries.push_back({entry.at(0).get<std::string>(), location(entry.at(1)), node(entry.at(2))});
      }
      return map;
    }
    if (json.contains("real")) {
      const auto text = json.at("real").get<std::string>();
      constexpr double infinity = std::numeric_limits<double>::infinity();
      const double value = text == "inf" ? infinity : text == "-inf" ? -infinity : std::nan("");
      return Node::of(value, where);
    }
    return Node::of(json.at("value"), where);
  }

 private:
  std::vector<std::string> sources_;
};

}  // namespace

Json plain_json(const ConfigDocument& document) { return document.root.to_json(); }

Json to_json(const ConfigDocument& document) {
  Writer writer;
  Json json;
  json["root"] = writer.node(document.root);
  json["sources"] = writer.sources();
  json["name"] = document.name;
  json["today"] = iso_date(document.today);
  json["base_seed"] = document.base_seed ? Json(*document.base_seed) : Json(nullptr);
  json["plugins"] = document.plugins;
  return json;
}

ConfigDocument document_from_json(const Json& json) {
  try {
    ConfigDocument document;
    document.root = Reader(json.at("sources").get<std::vector<std::string>>()).node(json.at("root"));
    document.name = json.at("name").get<std::string>();
    document.today = parse_date(json.at("today").get<std::string>());
    if (!json.at("base_seed").is_null()) document.base_seed = json.at("base_seed").get<std::string>();
    document.plugins = json.at("plugins").get<bool>();
    return document;
  } catch (const std::exception& error) {
    throw InternalFault(std::string("the configuration sent to a worker cannot be read: ") + error.what());
  }
}

}  // namespace tradewind::config
