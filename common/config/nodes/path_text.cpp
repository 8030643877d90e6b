#include "common/config/nodes/path_text.h"

#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {

std::string as_path_part(const Node& node, const std::string& key) {
  std::string text = as_text(node, key);
  if (text.find('\0') != std::string::npos)
    throw UserError(quoted(key) + " holds the character 0, at which the system would cut it", node.where.text(),
                    "take \\0 out of it");
  return text;
}

std::string as_path(const Node& node, const std::string& key) {
  std::string path = as_path_part(node, key);
  if (path.empty()) throw UserError(quoted(key) + " is empty", node.where.text(), "give a path");
  return path;
}

}  // namespace tradewind::config
