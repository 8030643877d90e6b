#include "common/config/outputs/raw_output.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/config/nodes/path_text.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

// {date}, {basetime} and {step}, and one that tells states apart.
std::string parse_template(const Node& node, const std::string& key) {
  std::string text = as_path_part(node, key);
  constexpr std::array<std::string_view, 3> known = {"date", "basetime", "step"};
  bool tells_apart = false;
  for (std::size_t at = text.find_first_of("{}"); at != std::string::npos; at = text.find_first_of("{}", at + 1)) {
    const std::size_t end = text.find('}', at);
    const std::string inside = end == std::string::npos ? "" : text.substr(at + 1, end - at - 1);
    if (text[at] == '}' || std::find(known.begin(), known.end(), inside) == known.end())
      throw UserError(quoted(key) + " has '" + clipped(text.substr(at, end == std::string::npos ? end : end - at + 1)) +
                          "', which means nothing here",
                      node.where.text(), "write {date}, {basetime} or {step}");
    tells_apart = tells_apart || inside != "basetime";
    at = end;
  }
  if (text.ends_with('/'))
    throw UserError(quoted(key) + " ends with a slash, thus names folders", node.where.text(),
                    "write for example {date}.npz");
  if (tells_apart) return text;
  throw UserError(quoted(key) + " gives every state the same file", node.where.text(), "put {date} or {step} into it");
}

}  // namespace

RawOutputConfig RawOutputConfig::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options("dir"), component.key, with_common_keys({"dir", "template", "strftime"}),
                         findings);
  RawOutputConfig config;
  reader.need("dir", component.where, "write raw: FOLDER", [&](const Node& node, const std::string& key) {
    config.dir = as_path(node, key);
    config.dir_at = {key, node.where.text()};
  });
  reader.take_set("template",
                  [&](const Node& node, const std::string& key) { config.file_template = parse_template(node, key); });
  reader.take_set("strftime",
                  [&](const Node& node, const std::string& key) { config.strftime = as_path_part(node, key); });
  config.common = parse_common(reader, findings);
  return config;
}

void RawOutputConfig::uses(Uses& uses) const {
  std::string names = dir + "/" + file_template;
  // What strftime makes of a date may be any text.
  for (const std::string_view key : {"{date}", "{basetime}", "{step}"})
    for (std::size_t at = names.find(key); at != std::string::npos; at = names.find(key, at))
      names.replace(at, key.size(), "{any}");
  uses.paths.push_back({.how = PathUse::How::writes_beside,
                        .names = PathUse::Names::keys,
                        .path = names,
                        .role = "the output",
                        .at = dir_at});
  add_uses(common, uses);
}

}  // namespace tradewind::config
