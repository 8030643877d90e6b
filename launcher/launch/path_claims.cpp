#include "launcher/launch/path_claims.h"

#include <sys/stat.h>

#include "common/errors.h"
#include "launcher/launch/path_names.h"

namespace tradewind::launcher {
namespace {

using Use = PathClaim::Use;
using Names = PathClaim::Names;

// Where `text` stands below the key.
std::string where_of(const config::Node* node, const std::string& text) {
  if (node == nullptr) return {};
  if (node->is_text()) return node->text() == text ? node->where.text() : std::string();
  for (const config::Node& item : node->items)
    if (const std::string where = where_of(&item, text); !where.empty()) return where;
  for (const config::Node::Entry& entry : node->entries)
    if (const std::string where = where_of(&entry.value, text); !where.empty()) return where;
  return {};
}

std::string where_in(const config::ConfigDocument& document, const std::string& key, const std::string& text) {
  const config::Node* node = document.root.find(key);
  const std::string where = where_of(node, text);
  return !where.empty() ? where : node != nullptr ? node->where.text() : document.name;
}

Names names_of(config::PathUse::Names names) {
  switch (names) {
    case config::PathUse::Names::keys:
      return Names::keys;
    case config::PathUse::Names::sources:
      return Names::sources;
    default:
      return Names::one;
  }
}

// `dataset`: what {dataset} stands for. `whose`: ends the role, " of constant forcings".
void add_uses(PathClaims& claims, const config::Uses& uses, const std::string& dataset, const std::string& whose = {}) {
  using How = config::PathUse::How;
  for (const config::PathUse& use : uses.paths) {
    const std::string path = config::with_dataset(use.path, dataset);
    const Names names = names_of(use.names);
    if (use.how != How::writes_beside)
      claims.push_back({.use = use.how == How::reads ? Use::reads : Use::writes,
                        .names = names,
                        .path = path,
                        .role = use.role + whose,
                        .where = use.at.where});
    else if (use.parts == 0)
      add_output(claims, path, names == Names::keys, use.at.where, dataset);
    for (int part = 0; use.how == How::writes_beside && part < use.parts; ++part)
      add_output(claims, config::with_part(path, part), names == Names::keys, use.at.where, dataset);
  }
}

template <typename Part>
config::Uses uses_of(const Part& part) {
  config::Uses uses;
  part.uses(uses);
  return uses;
}

bool is_in_order(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

void add_output(PathClaims& claims, const std::string& path, bool keys, const std::string& where,
                const std::string& dataset) {
  const Names names = keys ? Names::keys : Names::one;
  const std::string output = where + '\n' + path + '\n' + dataset;
  claims.push_back(
      {.use = Use::writes, .names = names, .path = path, .role = output_role, .where = where, .output = output});
  if (is_in_order(path)) return;  // written under its own name
  const std::string target = keys && path.find('{') != std::string::npos ? path : resolved(path);
  for (const char* beside : {".partial", ".lock"})
    claims.push_back({.use = Use::writes,
                      .names = names,
                      .path = target + beside,
                      .role = "what the output has beside it while it is written,",
                      .where = where,
                      .output = output});
}

void add_run_folder(PathClaims& claims, const std::string& folder, const std::string& where) {
  claims.push_back(
      {.use = Use::writes, .names = Names::folder, .path = folder, .role = "the run folder", .where = where});
  for (const char* file :
       {"report.json", "status.json", "run.lock", "control-{key}.json", "logs/{rank}", "hang/{rank}", "restart/{file}"})
    claims.push_back({.use = Use::writes,
                      .names = Names::keys,
                      .path = folder + "/" + file,
                      .role = "the run folder's file",
                      .where = where});
}

PathClaims claims_of(const config::RunConfig& config, const config::ConfigDocument& document,
                     const std::vector<std::string>& datasets) {
  PathClaims claims;
  const auto reads = [&](const std::string& path, const std::string& role, const std::string& where) {
    claims.push_back({.names = Names::one, .path = path, .role = role, .where = where});
  };
  for (const std::string& dataset : datasets) {
    const config::RunConfig one = config::for_dataset(config, dataset);
    add_uses(claims, uses_of(one.output), dataset);
    for (const config::PreProcessor& filter : one.pre_processors) add_uses(claims, uses_of(filter), dataset);
    for (const config::FilterConfig& filter : one.post_processors) add_uses(claims, uses_of(filter), dataset);
    add_uses(claims, uses_of(one.input), dataset);
    if (one.constant_forcings) add_uses(claims, uses_of(*one.constant_forcings), dataset, " of constant forcings");
    if (one.dynamic_forcings) add_uses(claims, uses_of(*one.dynamic_forcings), dataset, " of dynamic forcings");
  }
  reads(config.checkpoint, "the checkpoint", where_in(document, "checkpoint", config.checkpoint));
  if (const config::Node* patch = document.root.find("patch_metadata");
      patch != nullptr && patch->where.source != document.name && patch->where.line > 0 &&
      patch->where.source.find('=') == std::string::npos)
    reads(patch->where.source, "the file of patch_metadata", "patch_metadata");
  return claims;
}

}  // namespace tradewind::launcher
