#include "common/config/nodes/uses.h"

namespace tradewind::config {

std::string with_dataset(std::string path, const std::string& dataset) {
  for (const std::string name : {"{dataset}", "{dataset_name}"})
    for (std::size_t at = path.find(name); at != std::string::npos; at = path.find(name, at + dataset.size()))
      path.replace(at, name.size(), dataset);
  return path;
}

std::string with_part(const std::string& path, int part) {
  const std::size_t name = path.find_last_of('/') + 1, dot = path.find_last_of('.');
  const bool extension = dot != std::string::npos && dot > name && dot + 1 < path.size();
  const std::string suffix = "_w" + std::to_string(part);
  return extension ? path.substr(0, dot) + suffix + path.substr(dot) : path + suffix;
}

}  // namespace tradewind::config
