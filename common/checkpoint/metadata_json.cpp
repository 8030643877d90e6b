#include "common/checkpoint/metadata_json.h"

#include <array>

#include "common/checkpoint/bounded_json.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

void collect(const JsonNode& node, std::string_view key, std::vector<JsonNode>& out) {
  if (node.value().is_array()) {
    for (const JsonNode& item : node.items()) collect(item, key, out);
  } else if (node.value().is_object()) {
    if (const auto found = node.find(key)) out.push_back(*found);
    for (const auto& [name, value] : node.value().items()) {
      if (name != key) collect(JsonNode(value, node.path() + "." + name), key, out);
    }
  }
}

// Bare words that JSON does not know, outside of strings, become null.
std::string without_python_numbers(const std::string& text) {
  constexpr std::array<std::string_view, 3> words = {"-Infinity", "Infinity", "NaN"};
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    std::string_view instead;
    if (in_string && text[i] == '\\') {
      length = std::min<std::size_t>(2, text.size() - i);
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      for (const std::string_view word : words) {
        if (std::string_view(text).substr(i, word.size()) != word) continue;
        length = word.size();
        instead = "null";
        break;
      }
    }
    out += instead.empty() ? std::string_view(text).substr(i, length) : instead;
    i += length;
  }
  return out;
}

std::string short_text(const Json& value) {
  return value.is_structured() ? std::string(value.type_name()) : value.dump().substr(0, 80);
}

}  // namespace

void JsonNode::fail(const std::string& what) const {
  std::string where = "metadata";
  if (!path_.empty()) add_to_list(where, path_, ": ");
  throw UserError(what, where,
                  "the checkpoint's metadata is damaged or of an unknown layout; `patch_metadata` can mend it");
}

JsonNode JsonNode::child(const Json& value, std::string_view key) const {
  return JsonNode(value, path_.empty() ? std::string(key) : path_ + "." + std::string(key));
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  if (!value_->is_object()) return std::nullopt;
  const auto found = value_->find(std::string(key));
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return child(*found, key);
}

JsonNode JsonNode::at(std::string_view key) const {
  if (auto found = find(key)) return *std::move(found);
  fail("no `" + std::string(key) + "`");
}

std::optional<JsonNode> JsonNode::find_path(std::initializer_list<std::string_view> keys) const {
  std::optional<JsonNode> node = *this;
  for (const std::string_view key : keys) {
    node = node->find(key);
    if (!node) return std::nullopt;
  }
  return node;
}

JsonNode JsonNode::at_path(std::initializer_list<std::string_view> keys) const {
  JsonNode node = *this;
  for (const std::string_view key : keys) node = node.at(key);
  return node;
}

std::vector<JsonNode> JsonNode::items() const {
  if (!value_->is_array()) fail("a list is needed");
  std::vector<JsonNode> out;
  out.reserve(value_->size());
  for (const Json& item : *value_) out.push_back(child(item, std::to_string(out.size())));
  return out;
}

std::string JsonNode::text() const {
  if (!value_->is_string()) fail("a text is needed, not " + short_text(*value_));
  return value_->get<std::string>();
}

std::string JsonNode::scalar_text() const {
  if (value_->is_number()) return value_->dump();
  return text();
}

std::int64_t JsonNode::integer() const {
  if (!value_->is_number_integer()) fail("a whole number is needed, not " + short_text(*value_));
  return value_->get<std::int64_t>();
}

std::vector<std::string> JsonNode::texts() const {
  std::vector<std::string> out;
  for (const JsonNode& item : items()) out.push_back(item.text());
  return out;
}

std::vector<std::int64_t> JsonNode::integers() const {
  std::vector<std::int64_t> out;
  for (const JsonNode& item : items()) out.push_back(item.integer());
  return out;
}

Duration JsonNode::duration() const {
  try {
    return parse_duration(scalar_text());
  } catch (const UserError& error) {
    fail(error.message());
  }
}

Json parse_python_json(const std::string& text) {
  Json document = parse_within(text);
  if (document.is_discarded()) document = parse_within(without_python_numbers(text));
  if (!document.is_object()) {
    throw UserError("the metadata is no JSON object", "metadata", "the checkpoint is damaged; export it again");
  }
  return document;
}

std::vector<JsonNode> find_everywhere(const JsonNode& node, std::string_view key) {
  std::vector<JsonNode> out;
  collect(node, key, out);
  return out;
}

}  // namespace tradewind::checkpoint
