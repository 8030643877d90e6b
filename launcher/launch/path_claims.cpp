#include "launcher/launch/path_claims.h"

#include <sys/stat.h>

#include "common/config/yaml_load.h"
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

std::string with_dataset(std::string path, const std::string& dataset) {
  for (const std::string name : {"{dataset}", "{dataset_name}"})
    for (std::size_t at = path.find(name); at != std::string::npos; at = path.find(name, at + dataset.size()))
      path.replace(at, name.size(), dataset);
  return path;
}

class ConfigClaims {
 public:
  ConfigClaims(const config::ConfigDocument& document, const std::string& dataset)
      : document_(document), dataset_(dataset) {}

  void input(const config::InputConfig& input, const std::string& key, const std::string& role) {
    const auto* grib = std::get_if<config::GribInputConfig>(&input);
    if (grib == nullptr) return;
    claims_.push_back({.names = Names::sources,
                       .path = with_dataset(grib->path, dataset_),
                       .role = role,
                       .where = where_in(document_, key, grib->path)});
  }

  void output(const config::OutputConfig& output) {
    if (const auto* grib = std::get_if<config::GribOutputConfig>(&output)) return grib_output(*grib);
    const auto* printer = std::get_if<config::PrinterOutputConfig>(&output);
    if (printer == nullptr || !printer->path) return;
    claims_.push_back({.use = Use::writes,
                       .path = with_dataset(*printer->path, dataset_),
                       .role = output_role,
                       .where = where_in(document_, "output", *printer->path)});
  }

  void reads(const std::string& path, const std::string& role, const std::string& where, Names names = Names::one) {
    claims_.push_back({.names = names, .path = path, .role = role, .where = where});
  }

  PathClaims take() { return std::move(claims_); }

 private:
  void grib_output(const config::GribOutputConfig& grib) {
    const std::string path = with_dataset(grib.path, dataset_), where = where_in(document_, "output", grib.path);
    for (int i = 0; grib.writers && i < grib.writers->count; ++i) {
      const std::size_t name = path.find_last_of('/') + 1, dot = path.find_last_of('.');
      const bool extension = dot != std::string::npos && dot > name && dot + 1 < path.size();
      const std::string suffix = "_w" + std::to_string(i);
      add_output(claims_, extension ? path.substr(0, dot) + suffix + path.substr(dot) : path + suffix,
                 grib.split_output, where);
    }
    if (!grib.writers) add_output(claims_, path, grib.split_output, where);
    for (const config::TemplateConfig& one : grib.templates) {
      if (const auto* file = std::get_if<config::FileTemplates>(&one))
        reads(file->path, "the template", where_in(document_, "output", file->path));
      if (const auto* samples = std::get_if<config::SampleTemplates>(&one)) sample_templates(*samples);
    }
  }

  void sample_templates(const config::SampleTemplates& samples) {
    for (const auto& [match, path] : samples.rules)
      reads(path, "the template", where_in(document_, "output", path), Names::keys);
    if (samples.index.empty()) return;
    reads(samples.index, "the index of templates", where_in(document_, "output", samples.index));
    std::vector<std::string> ignored;
    config::Node rules;
    try {
      rules = config::load_yaml_file(samples.index, {}, ignored);
    } catch (const UserError&) {
      return;  // told where it is used
    }
    for (const config::Node& rule : rules.items)
      if (rule.items.size() == 2 && rule.items[1].is_text())
        reads(rule.items[1].text(), "the template", rule.items[1].where.text(), Names::keys);
  }

  const config::ConfigDocument& document_;
  const std::string& dataset_;
  PathClaims claims_;
};

bool is_in_order(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

void add_output(PathClaims& claims, const std::string& path, bool keys, const std::string& where) {
  const Names names = keys ? Names::keys : Names::one;
  const std::string output = where + '\n' + path;
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
                     const std::string& dataset) {
  ConfigClaims claims(document, dataset);
  claims.output(config.output);
  claims.input(config.input, "input", "the input");
  if (config.constant_forcings)
    claims.input(*config.constant_forcings, "constant_forcings", "the input of constant forcings");
  if (config.dynamic_forcings)
    claims.input(*config.dynamic_forcings, "dynamic_forcings", "the input of dynamic forcings");
  claims.reads(config.checkpoint, "the checkpoint", where_in(document, "checkpoint", config.checkpoint));
  if (const config::Node* patch = document.root.find("patch_metadata");
      patch != nullptr && patch->where.source != document.name && patch->where.line > 0 &&
      patch->where.source.find('=') == std::string::npos)
    claims.reads(patch->where.source, "the file of patch_metadata", "patch_metadata");
  return claims.take();
}

}  // namespace tradewind::launcher
