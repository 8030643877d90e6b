#include "common/config/hugging_face.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config/nodes/reader.h"
#include "common/config/nodes/yaml_load.h"
#include "common/errors.h"
#include "common/file_text.h"

namespace tradewind::config {
namespace {

namespace fs = std::filesystem;

struct HubFile {
  std::string repository;  // OWNER/NAME
  std::string kind = "model";
  std::string revision = "main";
  std::optional<std::string> name;  // in the repository; none: its only *.ckpt
  std::optional<std::string> cache, folder;
};

const std::vector<std::string>& keys() {
  static const std::vector<std::string> all = {
      "repo_id",        "filename",       "subfolder",        "repo_type",    "revision",        "cache_dir",
      "local_dir",      "token",          "local_files_only", "library_name", "library_version", "user_agent",
      "proxies",        "etag_timeout",   "headers",          "endpoint",     "max_workers",     "tqdm_class",
      "force_download", "allow_patterns", "ignore_patterns"};
  return all;
}

// A name that stays below the folder it is looked for in.
bool climbs(const std::string& name) {
  const fs::path path(name);
  return path.is_absolute() || std::find(path.begin(), path.end(), fs::path("..")) != path.end();
}

std::string as_name(const Node& node, const std::string& key) {
  std::string name = as_text(node, key);
  if (name.empty() || climbs(name) || name.find('\0') != std::string::npos)
    throw UserError("`" + key + "` is no name of something in a repository: " + clipped(name), node.where.text(),
                    "give it as the Hub shows it");
  return name;
}

HubFile read(const Node& written, const std::string& key, Findings& findings) {
  HubFile file;
  if (!written.is_map()) {
    file.repository = as_name(written, key);
    return file;
  }
  const MapReader reader(written, key, keys(), findings);
  reader.need("repo_id", written.where, "name the repository: OWNER/NAME",
              [&](const Node& node, const std::string& path) { file.repository = as_name(node, path); });
  reader.take_set("filename", [&](const Node& node, const std::string& path) { file.name = as_name(node, path); });
  reader.take_set("subfolder", [&](const Node& node, const std::string& path) {
    if (!file.name) throw UserError("`" + path + "` counts for a file alone", node.where.text(), "give filename, too");
    file.name = as_name(node, path) + "/" + *file.name;
  });
  reader.take_set("repo_type", [&](const Node& node, const std::string& path) {
    file.kind = as_choice(node, path, {"model", "dataset", "space"});
  });
  reader.take_set("revision", [&](const Node& node, const std::string& path) { file.revision = as_name(node, path); });
  reader.take_set("cache_dir", [&](const Node& node, const std::string& path) { file.cache = as_text(node, path); });
  reader.take_set("local_dir", [&](const Node& node, const std::string& path) { file.folder = as_text(node, path); });
  reader.take_set("force_download", [&](const Node& node, const std::string& path) {
    if (as_boolean(node, path))
      throw UserError("`" + path + "` cannot be done: nothing is downloaded here", node.where.text(),
                      "leave it out, and fetch the file with `hf download --force-download`");
  });
  for (const char* name : {"allow_patterns", "ignore_patterns"})
    reader.unsupported(name, "name the file with filename");
  for (const char* name : {"token", "proxies", "etag_timeout", "headers", "endpoint", "max_workers"})
    if (const Node* node = reader.find_set(name))
      findings.warn(node->where,
                    quoted(reader.path(name)) + " counts for a download; what the local cache holds is taken");
  return file;
}

std::string expanded(const std::string& path, const Environment& environment) {
  if (path != "~" && !path.starts_with("~/")) return path;
  return environment.get_or("HOME", "") + path.substr(1);
}

fs::path cache_of(const HubFile& file, const Environment& environment) {
  if (file.cache) return expanded(*file.cache, environment);
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const std::string given = environment.get_or(name, ""); !given.empty()) return expanded(given, environment);
  const std::string base = environment.get_or("XDG_CACHE_HOME", environment.get_or("HOME", "") + "/.cache");
  return fs::path(expanded(environment.get_or("HF_HOME", base + "/huggingface"), environment)) / "hub";
}

std::string command_for(const HubFile& file) {
  std::string command = "hf download " + file.repository;
  if (file.name) command += " " + *file.name;
  if (file.kind != "model") command += " --repo-type " + file.kind;
  if (file.revision != "main") command += " --revision " + file.revision;
  if (file.cache) command += " --cache-dir " + *file.cache;
  if (file.folder) command += " --local-dir " + *file.folder;
  return command;
}

// The folder of the revision's files, or nothing when the cache has none.
std::optional<fs::path> snapshot_of(const HubFile& file, const fs::path& cache) {
  std::string folder = file.kind + "s--";
  for (const char letter : file.repository) folder += letter == '/' ? std::string("--") : std::string(1, letter);
  const fs::path repository = cache / folder;
  std::error_code code;
  std::string commit = file.revision;
  if (const fs::path ref = repository / "refs" / file.revision; fs::is_regular_file(ref, code)) {
    constexpr std::uintmax_t longest = 200;
    if (fs::file_size(ref, code) > longest) return std::nullopt;
    commit = file_text(ref);
    commit.erase(std::remove_if(commit.begin(), commit.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
                 commit.end());
  }
  if (commit.empty() || climbs(commit)) return std::nullopt;
  const fs::path snapshot = repository / "snapshots" / commit;
  return fs::is_directory(snapshot, code) ? std::optional(snapshot) : std::nullopt;
}

// The only one, as the reference takes it.
std::optional<fs::path> only_checkpoint(const fs::path& folder, const std::string& where) {
  std::vector<std::string> found;
  std::error_code code;
  for (fs::directory_iterator one(folder, code), end; !code && one != end; one.increment(code))
    if (one->path().extension() == ".ckpt") found.push_back(one->path().filename().string());
  std::sort(found.begin(), found.end());
  if (found.size() > 1)
    throw UserError("the repository has several checkpoints: " + clipped(listed(found)), where,
                    "say which with filename");
  return found.empty() ? std::nullopt : std::optional(folder / found.front());
}

}  // namespace

bool is_hub_checkpoint(const Node& checkpoint) {
  return checkpoint.is_map() || (checkpoint.is_text() && checkpoint.text().starts_with("{"));
}

Node checkpoint_in_cache(const Node& checkpoint, const Environment& environment, Findings& findings) {
  // The reference takes the map also as text.
  const Node map = checkpoint.is_text() ? load_yaml_value(checkpoint.text(), checkpoint.where) : checkpoint;
  if (!map.is_map())
    throw UserError("`checkpoint` begins as a map and is none", checkpoint.where.text(), "give a path");
  const std::string where = checkpoint.where.text();
  const MapReader reader(map, "checkpoint", {"huggingface"}, findings);
  std::optional<HubFile> file;
  reader.need("huggingface", checkpoint.where, "give a path, or {huggingface: OWNER/NAME}",
              [&](const Node& node, const std::string& path) { file = read(node, path, findings); });
  Node path = Node::of("", checkpoint.where);
  path.failed = true;
  if (!file || file->repository.empty()) return path;
  const fs::path cache = cache_of(*file, environment);
  const auto folder =
      file->folder ? std::optional<fs::path>(expanded(*file->folder, environment)) : snapshot_of(*file, cache);
  std::error_code code;
  std::optional<fs::path> found;
  if (folder && fs::is_directory(*folder, code)) {
    if (file->name && fs::exists(*folder / *file->name, code)) found = *folder / *file->name;
    if (!file->name) found = only_checkpoint(*folder, where);
  }
  if (!found)
    throw UserError((file->name ? config::quoted(*file->name) + " of " : "a checkpoint of ") +
                        clipped(file->repository) + " is not in " +
                        (file->folder ? *file->folder : "the cache " + cache.string()),
                    where, "fetch it first: " + command_for(*file));
  path.scalar = found->string();
  path.failed = false;
  return path;
}

}  // namespace tradewind::config
