#include "common/config/nodes/yaml_load.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unordered_map>

#include "common/config/nodes/yaml_scalar.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

constexpr std::size_t kMostBytes = 16U << 20;
constexpr std::size_t kMostNodes = 100000;  // aliases of aliases grow without bound
constexpr std::size_t kMostKeys = 10000;    // of one map
constexpr int kMostDepth = 100;
constexpr const char* kStandardTag = "tag:yaml.org,2002:";

UserError too_deep(const Location& where) {
  return UserError("this is nested more than " + std::to_string(kMostDepth) + " deep", where.text(),
                   "look for an alias inside its own anchor, or for a bracket that is not closed");
}

UserError too_many(const Location& where) {
  return UserError("the document has more than " + std::to_string(kMostNodes) + " values", where.text(),
                   "look for aliases that repeat large parts; a configuration has some dozens");
}

// A first look at a document, before anything is built of it: how much there is, and how deep.
class Measure : public YAML::EventHandler {
 public:
  explicit Measure(std::string source) : source_(std::move(source)) {}
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { value(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { value(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    value(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, false);
  }
  void OnSequenceEnd() override { inside_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, true);
  }
  void OnMapEnd() override { inside_.pop_back(); }

 private:
  struct Container {
    bool map;
    std::size_t values;
  };

  Location location(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  void value(const YAML::Mark& mark) {
    if (++count_ > 2 * kMostNodes) throw too_many(location(mark));  // keys count here, too
    if (inside_.empty()) return;
    if (++inside_.back().values <= 2 * kMostKeys || !inside_.back().map) return;
    throw UserError("a map has more than " + std::to_string(kMostKeys) + " keys", location(mark).text(),
                    "a configuration has some dozens: is this the right file?");
  }

  void open(const YAML::Mark& mark, bool map) {
    value(mark);
    inside_.push_back({map, 0});
    if (inside_.size() > kMostDepth) throw too_deep(location(mark));
  }

  std::string source_;
  std::vector<Container> inside_;
  std::size_t count_ = 0;
};

// A map that finds its keys at once.
class KeyedMap {
 public:
  explicit KeyedMap(const Location& where) : map_(Node::map(where)) {}
  const Node::Entry* entry(const std::string& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &map_.entries[found->second];
  }
  void set(const std::string& key, const Location& where, Node value) {
    const auto [found, is_new] = index_.emplace(key, map_.entries.size());
    if (is_new)
      map_.entries.push_back({key, where, std::move(value)});
    else
      map_.entries[found->second] = {key, where, std::move(value)};
  }
  Node take() { return std::move(map_); }

 private:
  Node map_;
  std::unordered_map<std::string, std::size_t> index_;
};

class Builder {
 public:
  Builder(std::string source, const YamlOptions& options, std::vector<std::string>& warnings)
      : source_(std::move(source)), options_(options), warnings_(warnings) {}

  Location location(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  Node build(const YAML::Node& yaml, int depth = 0) {
    const Location where = location(yaml.Mark());
    if (depth > kMostDepth) throw too_deep(where);
    if (++count_ > kMostNodes) throw too_many(where);
    switch (yaml.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(yaml, where);
      case YAML::NodeType::Sequence:
        return sequence(yaml, where, depth);
      case YAML::NodeType::Map:
        return mapping(yaml, where, depth);
      default:
        return Node::of(nullptr, where);
    }
  }

 private:
  Node scalar(const YAML::Node& yaml, const Location& where) const {
    const std::string& text = yaml.Scalar();
    const std::string& tag = yaml.Tag();
    if (tag == "!" || tag == std::string(kStandardTag) + "str") return Node::of(text, where);
    try {
      Json value = resolve_plain(text);
      if (tag == "?" || tag.empty()) {
        if (value.is_string() && options_.timestamps) value = canonical_timestamp(text);
        return Node::of(std::move(value), where);
      }
      if (tag == std::string(kStandardTag) + "float" && value.is_number()) return Node::of(value.get<double>(), where);
      if ((tag == std::string(kStandardTag) + "int" && value.is_number_integer()) ||
          (tag == std::string(kStandardTag) + "bool" && value.is_boolean()) ||
          (tag == std::string(kStandardTag) + "null" && value.is_null())) {
        return Node::of(std::move(value), where);
      }
    } catch (const std::out_of_range&) {
      throw UserError("the integer " + clipped(text) + " does not fit in 64 bits", where.text(), "put it in quotes");
    }
    throw UserError("the tag '" + clipped(tag) + "' is not supported here", where.text(),
                    "write the value without a tag");
  }

  Node sequence(const YAML::Node& yaml, const Location& where, int depth) {
    Node list = Node::list(where);
    for (const auto& item : yaml) list.items.push_back(build(item, depth + 1));
    return list;
  }

  static bool is_merge(const YAML::Node& key) { return key.IsScalar() && key.Tag() == "?" && key.Scalar() == "<<"; }

  void merge(KeyedMap& map, const YAML::Node& from, int depth) {
    Node value = build(from, depth + 1);
    std::vector<Node> parts;
    if (value.is_map()) {
      parts.push_back(std::move(value));
    } else if (value.is_list()) {
      parts = std::move(value.items);
    } else {
      throw UserError("`<<` takes a map or a list of maps, not " + value.kind_text(), value.where.text(),
                      "give it an alias of a map");
    }
    // Of several, the first one that has a key wins.
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (!part->is_map()) {
        throw UserError("`<<` takes a map or a list of maps, not " + part->kind_text(), part->where.text(),
                        "give it an alias of a map");
      }
      for (Node::Entry& entry : part->entries) map.set(entry.key, entry.where, std::move(entry.value));
    }
  }

  Node mapping(const YAML::Node& yaml, const Location& where, int depth) {
    KeyedMap map(where);
    for (const auto& pair : yaml) {
      if (is_merge(pair.first)) merge(map, pair.second, depth);
    }
    KeyedMap own(where);
    for (const auto& pair : yaml) {
      if (is_merge(pair.first)) continue;
      const Location key_where = location(pair.first.Mark());
      if (!pair.first.IsScalar()) {
        throw UserError(pair.first.IsNull() ? "a key is missing" : "a key must be a plain word, not a list or a map",
                        key_where.text(), "write `key: value`");
      }
      const std::string& key = pair.first.Scalar();
      if (const Node::Entry* first = own.entry(key)) {
        const std::string text = quoted(key) + " is given twice, first at " + first->where.text();
        if (options_.refuse_duplicates) throw UserError(text, key_where.text(), "keep one of them");
        warnings_.push_back(key_where.text() + ": " + text + "; this one counts");
      }
      own.set(key, key_where, build(pair.second, depth + 1));
    }
    Node given = own.take();
    for (Node::Entry& entry : given.entries) map.set(entry.key, entry.where, std::move(entry.value));
    return map.take();
  }

  std::string source_;
  YamlOptions options_;
  std::vector<std::string>& warnings_;
  std::size_t count_ = 0;
};

void set_location(Node& node, const Location& where) {
  node.where = where;
  for (Node& item : node.items) set_location(item, where);
  for (Node::Entry& entry : node.entries) {
    entry.where = where;
    set_location(entry.value, where);
  }
}

}  // namespace

Node load_yaml(const std::string& text, const std::string& source, const YamlOptions& options,
               std::vector<std::string>& warnings) {
  Builder builder(source, options, warnings);
  if (text.size() > kMostBytes) {
    throw UserError("this is larger than " + std::to_string(kMostBytes >> 20) + " MiB", source,
                    "a configuration has some dozens of lines: is this the right file?");
  }
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Measure measure(source);
    while (parser.HandleNextDocument(measure)) {
    }
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty()) return Node::of(nullptr, {source, 1, 1});
    if (documents.size() > 1) {
      throw UserError("there are " + std::to_string(documents.size()) + " documents, one is expected",
                      builder.location(documents[1].Mark()).text(), "keep one document, without `---` after it");
    }
    return builder.build(documents.front());
  } catch (const YAML::Exception& error) {
    throw UserError("this is not YAML: " + error.msg, builder.location(error.mark).text(),
                    "check indentation, quotes and brackets there");
  }
}

Node load_yaml_file(const std::string& path, const YamlOptions& options, std::vector<std::string>& warnings) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    throw UserError("there is no such file", path, "check the path; it is relative to the current folder");
  }
  if (std::filesystem::is_directory(path, code)) throw UserError("this is a folder, a YAML file is expected", path);
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw EnvironmentFault(std::string("the file cannot be opened: ") + std::strerror(errno), path,
                           "check its permissions");
  std::string text;  // of a stream without end no more than is refused
  for (std::array<char, 1 << 16> piece{}; file && text.size() <= kMostBytes;) {
    file.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad())
    throw EnvironmentFault(std::string("the file cannot be read: ") + std::strerror(errno), path, "check the file");
  return load_yaml(text, path, options, warnings);
}

Node load_yaml_value(const std::string& text, const Location& where) {
  std::vector<std::string> warnings;
  try {
    Node value = load_yaml(text, where.source, {.timestamps = false, .refuse_duplicates = true}, warnings);
    set_location(value, where);
    return value;
  } catch (const UserError& error) {
    throw UserError(error.message(), where.text(), error.remedy());
  }
}

}  // namespace tradewind::config
