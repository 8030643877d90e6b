#include <glob.h>

#include <filesystem>

#include "common/config/load.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

namespace fs = std::filesystem;

std::string written_at(const ConfigDocument& document, const std::string& key) {
  const Node* node = document.root.find(key);
  return node == nullptr ? document.name : node->where.text();
}

std::string tried(const std::string& path) {
  std::error_code code;
  const fs::path absolute = fs::absolute(path, code);
  return code ? path : absolute.lexically_normal().string();
}

// Where the file would be if the path were relative to the configuration's folder instead of the current one.
std::string remedy(const std::string& path, const ConfigDocument& document) {
  std::error_code code;
  const fs::path folder = fs::path(document.name).parent_path();
  if (!folder.empty() && !fs::path(path).is_absolute() && fs::exists(folder / path, code)) {
    return "paths are relative to the current folder: run in " + folder.string() + ", or write " +
           tried((folder / path).string());
  }
  return "check the path; it is relative to the current folder";
}

void check_file(const std::string& what, const std::string& path, const std::string& where,
                const ConfigDocument& document) {
  std::error_code code;
  if (!fs::exists(path, code)) {
    throw UserError(what + " '" + path + "' is not there: tried " + tried(path), where, remedy(path, document));
  }
  if (fs::is_directory(path, code)) {
    throw UserError(what + " '" + path + "' is a folder, a file is expected", where, "give the file");
  }
}

bool matches_something(const std::string& pattern) {
  glob_t found{};
  const int code = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  ::globfree(&found);
  return code == 0;
}

void check_sources(const std::string& path, const std::string& where, const ConfigDocument& document) {
  if (path.empty()) return;                         // refused already
  if (path.find('{') != std::string::npos) return;  // {dataset}: its name is known to the checkpoint
  const std::size_t magic = path.find_first_of("*?[");
  std::error_code code;
  if (magic == std::string::npos || fs::exists(path, code)) {
    if (!fs::exists(path, code)) {
      throw UserError("the input '" + path + "' is not there: tried " + tried(path), where, remedy(path, document));
    }
    return;
  }
  if (path.find("**") != std::string::npos) {  // goes down into folders: only where it starts can be checked cheaply
    const std::size_t slash = path.rfind('/', magic);
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (fs::is_directory(folder, code)) return;
    throw UserError("the input '" + path + "' starts in a folder that is not there: tried " + tried(folder), where,
                    "check the path; it is relative to the current folder");
  }
  if (!matches_something(path)) {
    throw UserError("no file matches the input '" + path + "': tried " + tried(path), where,
                    "check the pattern; it is relative to the current folder");
  }
}

// What is read and can be looked for: not what stands for several names.
void check_uses(const Uses& uses, const ConfigDocument& document, Findings& findings) {
  for (const PathUse& use : uses.paths) {
    if (use.how != PathUse::How::reads || use.path.empty()) continue;
    findings.attempt([&] {
      if (use.names == PathUse::Names::sources) check_sources(use.path, use.at.where, document);
      if (use.names == PathUse::Names::one) check_file(use.role, use.path, use.at.where, document);
    });
  }
}

}  // namespace

void check_files(const RunConfig& config, const ConfigDocument& document, Findings& findings) {
  findings.attempt([&] {
    if (!config.checkpoint.empty())
      check_file("the checkpoint", config.checkpoint, written_at(document, "checkpoint"), document);
  });
  for (const RunConfig& one : by_dataset(config)) {
    Uses uses;
    one.input.uses(uses);
    if (one.constant_forcings) one.constant_forcings->uses(uses);
    if (one.dynamic_forcings) one.dynamic_forcings->uses(uses);
    one.output.uses(uses);
    for (const PreProcessor& filter : one.pre_processors) filter.uses(uses);
    for (const FilterConfig& filter : one.post_processors) filter.uses(uses);
    check_uses(uses, document, findings);
  }
}

}  // namespace tradewind::config
