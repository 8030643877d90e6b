#include "common/config/interpolate.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_map>

#include "common/config/nodes/yaml_load.h"
#include "common/config/nodes/yaml_scalar.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

constexpr std::size_t kMostValues = 100000;
constexpr std::size_t kMostText = 1 << 20;        // of one value
constexpr std::size_t kMostTogether = 16U << 20;  // of all of them
constexpr std::size_t kManyKeys = 32;             // from here on a map is looked up by an index
constexpr std::size_t kMostDepth = 200;

using Ancestors = std::vector<const Node*>;  // from the root to the container of the node

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

class Resolver {
 public:
  Resolver(const Node& root, const Environment& environment) : root_(root), environment_(environment) {}

  Node root(Findings& findings) {
    Node built = Node::map(root_.where);
    built.entries.reserve(root_.entries.size());
    const ActiveScope scope(*this, root_);
    for (const Node::Entry& entry : root_.entries) {
      built.entries.push_back({entry.key, entry.where, Node::of(nullptr, entry.value.where)});
      Node& value = built.entries.back().value;
      value.failed = true;
      findings.attempt([&] { value = build(entry.value, {&root_}); });
    }
    return built;
  }

 private:
  Node build(const Node& node, const Ancestors& ancestors) {
    if (++count_ > kMostValues) {
      throw UserError("interpolation makes more than " + std::to_string(kMostValues) + " values", node.where.text(),
                      "repeat less");
    }
    if (ancestors.size() > kMostDepth || active_.size() > kMostDepth) {
      throw UserError("interpolation is nested too deep", node.where.text(), "look for one that refers to its parent");
    }
    if (node.is_container()) return container(node, ancestors);
    if (!node.is_text() || node.text().find("${") == std::string::npos) return node;
    const ActiveScope scope(*this, node);
    Scan scan{node.text(), 0, node, ancestors};
    return text(scan, "");
  }

  struct Scan {
    const std::string& text;
    std::size_t at;
    const Node& node;  // whose text it is
    const Ancestors& ancestors;
    char peek() const { return at < text.size() ? text[at] : '\0'; }
    bool starts(std::string_view word) const { return text.compare(at, word.size(), word) == 0; }
    bool done() const { return at >= text.size(); }
    void spaces() {
      while (peek() == ' ' || peek() == '\t') ++at;
    }
  };

  // Marks a node as being resolved, so that a way back to it is seen as a cycle.
  struct ActiveScope {
    ActiveScope(Resolver& resolver, const Node& node) : resolver_(resolver) {
      if (std::find(resolver.active_.begin(), resolver.active_.end(), &node) != resolver.active_.end()) {
        throw UserError("interpolations refer to each other in a circle", node.where.text(),
                        "follow the `${...}` from there and break the circle");
      }
      resolver.active_.push_back(&node);
    }
    ~ActiveScope() { resolver_.active_.pop_back(); }
    ActiveScope(const ActiveScope&) = delete;
    ActiveScope& operator=(const ActiveScope&) = delete;
    Resolver& resolver_;
  };

  struct DepthScope {
    DepthScope(Resolver& resolver, const Scan& scan) : resolver_(resolver) {
      if (resolver.depth_ >= kMostDepth) fail(scan, "interpolation is nested too deep", "write it in steps");
      ++resolver.depth_;
    }
    ~DepthScope() { --resolver_.depth_; }
    DepthScope(const DepthScope&) = delete;
    DepthScope& operator=(const DepthScope&) = delete;
    Resolver& resolver_;
  };

  [[noreturn]] static void fail(const Scan& scan, const std::string& what, const std::string& remedy) {
    throw UserError(what + " in '" + clipped(scan.node.text()) + "'", scan.node.where.text(), remedy);
  }

  Node container(const Node& node, const Ancestors& ancestors) {
    const ActiveScope scope(*this, node);
    Ancestors below = ancestors;
    below.push_back(&node);
    Node built = node.is_list() ? Node::list(node.where) : Node::map(node.where);
    built.items.reserve(node.items.size());
    built.entries.reserve(node.entries.size());
    for (const Node& item : node.items) built.items.push_back(build(item, below));
    for (const Node::Entry& entry : node.entries)
      built.entries.push_back({entry.key, entry.where, build(entry.value, below)});
    return built;
  }

  // Literal text and interpolations up to one of `stops` (kept) or the end.
  Node text(Scan& scan, std::string_view stops) {
    std::string joined;
    std::optional<Node> only;  // the one value there is so far
    bool several = false, has_container = false;
    while (!scan.done() && stops.find(scan.peek()) == std::string_view::npos) {
      std::size_t slashes = 0;
      while (scan.at + slashes < scan.text.size() && scan.text[scan.at + slashes] == '\\') ++slashes;
      if (scan.text.compare(scan.at + slashes, 2, "${") != 0) {
        const std::size_t plain = std::max<std::size_t>(slashes, 1);
        joined.append(scan.text, scan.at, plain);
        scan.at += plain;
        several = true;
        continue;
      }
      // Before `${`, two backslashes stand for one, and an odd one makes it literal.
      joined.append(slashes / 2, '\\');
      scan.at += slashes;
      several = several || slashes > 0 || only;
      if (slashes % 2 == 1) {
        joined += "${";
        scan.at += 2;
        continue;
      }
      only = interpolation(scan);
      has_container = has_container || only->is_container();
      if (!only->is_container()) joined += only->shown();
      if (joined.size() > kMostText) fail(scan, "interpolation makes a text of more than 1 MiB", "repeat less");
    }
    if (only && !several) {
      only->where = scan.node.where;
      return *std::move(only);
    }
    if (has_container) fail(scan, "a list or map cannot be part of a text", "refer to one of its values");
    if (made_ += joined.size(); made_ > kMostTogether)
      fail(scan, "interpolations make more than 16 MiB of text together", "repeat less");
    return Node::of(joined, scan.node.where);
  }

  Node interpolation(Scan& scan) {
    const DepthScope scope(*this, scan);
    scan.at += 2;
    scan.spaces();
    std::size_t dots = 0;
    while (scan.peek() == '.') ++dots, ++scan.at;
    std::vector<std::string> keys;
    while (true) {
      const std::string key = key_part(scan);
      if (key.empty()) fail(scan, "a key is missing", "write ${key}, ${.key} or ${oc.env:NAME}");
      keys.push_back(key);
      while (scan.peek() == '[') {
        ++scan.at;
        keys.push_back(key_part(scan));
        if (scan.peek() != ']') fail(scan, "a `]` is missing", "write ${key[0]}");
        ++scan.at;
      }
      if (scan.peek() != '.') break;
      ++scan.at;
    }
    scan.spaces();
    if (scan.peek() == ':' && dots == 0) {
      std::string name;
      for (const std::string& key : keys) name += (name.empty() ? "" : ".") + key;
      ++scan.at;
      return call(scan, name);
    }
    if (scan.peek() != '}') fail(scan, "the `}` of an interpolation is missing", "write ${key}");
    ++scan.at;
    return value_at(scan, dots, keys);
  }

  std::string key_part(Scan& scan) {
    std::string key;
    while (!scan.done() && std::string_view(".[]:{}").find(scan.peek()) == std::string_view::npos) {
      if (scan.starts("${")) {
        key += interpolation(scan).shown();
      } else {
        key += scan.text[scan.at++];
      }
    }
    return trimmed(key);
  }

  static const Node* child(const Node& parent, const std::string& key) {
    if (parent.is_map()) return parent.find(key);
    if (!parent.is_list() || key.empty() || key.size() > 9) return nullptr;
    if (!std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) return nullptr;
    const std::size_t index = std::stoul(key);
    return index < parent.items.size() ? &parent.items[index] : nullptr;
  }

  // child(), of a node of the document itself: these stay where they are, so a large one gets an index.
  const Node* child_of_document(const Node& parent, const std::string& key) {
    if (!parent.is_map() || parent.entries.size() < kManyKeys) return child(parent, key);
    Index& index = indices_[&parent];
    if (index.empty())
      for (const Node::Entry& entry : parent.entries) index.emplace(entry.key, &entry.value);
    const auto found = index.find(key);
    return found == index.end() ? nullptr : found->second;
  }

  Node value_at(const Scan& scan, std::size_t dots, const std::vector<std::string>& keys) {
    std::string shown(dots, '.');
    for (std::size_t i = 0; i < keys.size(); ++i) shown += (i == 0 ? "" : ".") + keys[i];
    const auto missing = [&]() {
      fail(scan, "interpolation key '" + clipped(shown) + "' is not there", "set that key, or correct its name");
    };
    Ancestors path;
    if (dots == 0) {
      path = {&root_};
    } else {
      if (dots > scan.ancestors.size()) missing();
      path.assign(scan.ancestors.begin(), scan.ancestors.end() - static_cast<std::ptrdiff_t>(dots - 1));
    }
    const Node* current = path.back();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Node* next = child_of_document(*current, keys[i]);
      if (next == nullptr) missing();
      if (i + 1 == keys.size()) return build(*next, path);
      if (next->is_text()) {  // the way goes through another interpolation: go on in its value, which is final
        Node through = build(*next, path);
        const Node* inside = &through;
        for (std::size_t j = i + 1; j < keys.size() && inside != nullptr; ++j) inside = child(*inside, keys[j]);
        if (inside == nullptr) missing();
        return *inside;
      }
      path.push_back(next);
      current = next;
    }
    return *current;
  }

  // The arguments of a resolver, up to and over its `}`.
  std::vector<Node> arguments(Scan& scan) {
    std::vector<Node> found;
    while (true) {
      scan.spaces();
      const char quote = scan.peek();
      if (quote == '\'' || quote == '"') {
        ++scan.at;
        Node value = text(scan, std::string_view(&quote, 1));
        if (scan.peek() != quote) fail(scan, "a quote is not closed", "close it");
        ++scan.at;
        scan.spaces();
        found.push_back(Node::of(value.shown(), value.where));
      } else {
        const bool single = scan.starts("${");
        Node value = text(scan, ",}");
        if (value.is_text() && !single) {
          const std::string word = trimmed(value.text());
          value = Node::of(word.empty() ? Json("") : resolve_plain(word), value.where);
        }
        found.push_back(std::move(value));
      }
      if (scan.peek() == '}') break;
      if (scan.peek() != ',') fail(scan, "the `}` of an interpolation is missing", "write ${oc.env:NAME,default}");
      ++scan.at;
    }
    ++scan.at;
    return found;
  }

  Node call(Scan& scan, const std::string& name) {
    const std::vector<Node> given = arguments(scan);
    if (name == "oc.env") {
      if (given.empty() || given.size() > 2) {
        fail(scan, "oc.env takes a name and a default", "put a default that holds a comma in quotes");
      }
      if (const auto value = environment_.get(given[0].shown())) return Node::of(*value, scan.node.where);
      if (given.size() == 2) {
        if (given[1].is_null()) return Node::of(nullptr, scan.node.where);
        return Node::of(given[1].shown(), scan.node.where);
      }
      const std::string variable = clipped(given[0].shown());
      fail(scan, "the environment variable " + variable + " is not set",
           "set it, or give a default: ${oc.env:" + variable + ",default}");
    }
    if (name == "oc.decode" && given.size() == 1) {
      if (!given[0].is_text()) return given[0];
      return load_yaml_value(given[0].text(), scan.node.where);
    }
    fail(scan, "interpolation '" + clipped(name) + ":' is not supported",
         "use ${key}, ${oc.env:NAME} or ${oc.decode:text}");
  }

  const Node& root_;
  const Environment& environment_;
  std::vector<const Node*> active_;
  using Index = std::unordered_map<std::string_view, const Node*>;
  std::unordered_map<const Node*, Index> indices_;
  std::size_t count_ = 0, depth_ = 0;
  std::size_t made_ = 0;  // bytes of text
};

}  // namespace

Node interpolated(const Node& root, const Environment& environment, Findings& findings) {
  return Resolver(root, environment).root(findings);
}

}  // namespace tradewind::config
