#include <algorithm>
#include <filesystem>
#include <set>

#include "common/fit/parts.h"
#include "common/nearest.h"

namespace tradewind::fit {
namespace {

using Names = std::vector<std::string>;

bool holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names all_variables(const checkpoint::Metadata& metadata) {
  Names names = metadata.input;
  for (const std::string& name : metadata.output)
    if (!holds(names, name)) names.push_back(name);
  return names;
}

std::string inspect(const Case& one) { return "`tradewind inspect " + one.config.checkpoint + "` lists them"; }

void check_typed_variables(Case& one) {
  const config::Node* typed = one.document.root.find("typed_variables");
  if (typed == nullptr || !typed->is_map()) return;
  const Names known = {"mars",  "process",     "period",           "units",           "constant_in_time",
                       "param", "description", "computed_forcing", "is_accumulation", "long_name"};
  const Names variables = all_variables(one.whole);
  const std::set<std::string> made = made_by_filters(one);
  for (const config::Node::Entry& entry : typed->entries) {
    const std::string key = "typed_variables." + entry.key;
    if (!holds(variables, entry.key) && !made.contains(entry.key))
      one.findings.warn(entry.where, config::quoted(key) + " is for no variable of this checkpoint; " +
                                         did_you_mean(entry.key, variables) + inspect(one));
    for (const config::Node::Entry& inner : entry.value.entries)
      if (!holds(known, inner.key))
        one.findings.warn(inner.where, config::quoted(key + "." + inner.key) +
                                           " is not known here and has no effect; " + did_you_mean(inner.key, known) +
                                           "known are " + config::listed(known));
  }
}

bool is_accumulation(const checkpoint::Metadata& metadata, const std::string& name) {
  const auto variable = metadata.variables.find(name);
  return variable != metadata.variables.end() && variable->second.accumulated();
}

Names all_params(const checkpoint::Metadata& metadata) {
  std::set<std::string> params;
  for (const std::string& name : all_variables(metadata)) {
    const auto variable = metadata.variables.find(name);
    params.insert(variable == metadata.variables.end() ? name : variable->second.param());
  }
  return {params.begin(), params.end()};
}

void check_name(Case& one, const checkpoint::Metadata& metadata, const config::NameUse& use) {
  using Must = config::NameUse::Must;
  const std::string key = config::quoted(use.at.key);
  const std::string name = std::string("'").append(config::clipped(use.name)).append("'");
  const auto hint = [&](const Names& known) { return did_you_mean(use.name, known) + inspect(one); };
  const Names& forecast = metadata.output;
  const Names variables = all_variables(metadata), params = all_params(metadata);
  if (use.must == Must::be_forecast && !holds(forecast, use.name)) {
    const std::string what = key + ": " + name + " is no variable that this checkpoint forecasts";
    // A list may have been written for several models.
    if (std::any_of(use.beside.begin(), use.beside.end(), [&](const auto& each) { return holds(forecast, each); }))
      warn(one, use.at, what + "; " + hint(forecast));
    else
      refuse(one, use.at, what, hint(forecast));
  }
  if (use.must == Must::be_variable && !holds(variables, use.name))
    warn(one, use.at, key + ": " + name + " is no variable of this checkpoint; " + hint(variables));
  if (use.must == Must::be_param && !holds(params, use.name))
    warn(one, use.at, key + " is for no param of this checkpoint's variables; " + hint(params));
  std::error_code error;
  if (use.must == Must::be_file_or_array && !metadata.arrays.contains(use.name) &&
      !std::filesystem::is_regular_file(use.name, error)) {
    Names arrays;
    for (const auto& [array, unused] : metadata.arrays) arrays.push_back(array);
    if (std::filesystem::exists(std::filesystem::symlink_status(use.name, error)))
      return refuse(one, use.at, key + ": " + name + " is no regular file", "give a file, or the name of an array");
    refuse(one, use.at, key + ": " + name + " is neither a file nor an array of this checkpoint",
           did_you_mean(use.name, arrays) + "paths are relative to the current folder; " + inspect(one));
  }
  if (use.must == Must::be_accumulations &&
      std::none_of(forecast.begin(), forecast.end(), [&](const auto& each) { return is_accumulation(metadata, each); }))
    warn(one, use.at, key + " has no effect: the checkpoint calls no variable an accumulation");
}

// Post-processors of the run are for all datasets, an output may be one's own.
void check_uses(Case& one) {
  config::Uses shared, own;
  for (const config::FilterConfig& filter : one.config.post_processors) filter.uses(shared);
  one.config.output.uses(own);
  for (const config::NameUse& use : shared.names) check_name(one, one.whole, use);
  for (const config::NameUse& use : own.names) check_name(one, one.metadata, use);
}

// The names that stand below a key of its own for each dataset.
void check_dataset_names(Case& one, const std::string& key, const Names& given, const Names& known) {
  const config::Node* node = one.document.root.find(key);
  if (given.empty() || node == nullptr) return;
  bool unknown = false;
  for (const std::string& name : given) {
    if (holds(known, name)) continue;
    unknown = true;
    const config::Node::Entry* entry = node->entry(name);
    one.findings.refuse(
        UserError(config::quoted(key) + ": the dataset '" + config::clipped(name) + "' is not in the checkpoint",
                  (entry == nullptr ? node->where : entry->where).text(),
                  did_you_mean(name, known) + "it has " + config::listed(known) +
                      (known.size() == 1 ? "; or leave the dataset's name out" : "")));
  }
  for (const std::string& name : known) {
    if (unknown || holds(given, name)) continue;  // a name that is not known may be meant for one that is missing
    one.findings.refuse(UserError(
        config::quoted(key) + " has nothing for the dataset '" + name + "'", node->where.text(),
        "the checkpoint has " + config::listed(known) + ": name all of them, or none for what is meant for all"));
  }
}

}  // namespace

// Where a dotted path of patch_metadata stands, and what stands beside it in the checkpoint.
void check_patch(Case& one) {
  for (const std::string& path : one.metadata.new_keys) {
    const config::Node* node = one.document.root.find("patch_metadata");
    const config::Location* where = &one.where("patch_metadata");
    const checkpoint::Json* beside = &one.metadata.raw;
    if (const config::Node::Entry* own = node == nullptr ? nullptr : node->entry(one.metadata.dataset))
      node = &own->value;
    std::string key;
    for (std::size_t begin = 0; node != nullptr && begin <= path.size();) {
      const std::size_t end = std::min(path.find('.', begin), path.size());
      key = path.substr(begin, end - begin);
      const config::Node::Entry* entry = node->entry(key);
      node = entry == nullptr ? nullptr : &entry->value;
      if (entry != nullptr) where = &entry->where;
      if (end < path.size() && beside != nullptr)
        beside = beside->is_object() && beside->contains(key) ? &(*beside)[key] : nullptr;
      begin = end + 1;
    }
    Names known;
    if (beside != nullptr && beside->is_object())
      for (const auto& [name, value] : beside->items())
        if (name != key) known.push_back(name);
    const std::string hint = did_you_mean(key, known);
    one.findings.warn(*where, config::quoted("patch_metadata." + path) +
                                  " is not in the checkpoint's metadata and was added" +
                                  (hint.empty() ? "" : "; " + hint.substr(0, hint.size() - 1)));
  }
}

void check_datasets(Case& one, const Names& of_checkpoint) {
  const auto check = [&](const std::string& key, auto part) {
    Names given;
    for (const auto& [name, parts] : one.config.datasets)
      if (parts.*part) given.push_back(name);
    check_dataset_names(one, key, given, of_checkpoint);
  };
  check("input", &config::DatasetParts::input);
  check("constant_forcings", &config::DatasetParts::constant_forcings);
  check("dynamic_forcings", &config::DatasetParts::dynamic_forcings);
  check("output", &config::DatasetParts::output);
}

void check_names(Case& one) {
  check_uses(one);
  check_typed_variables(one);
}

}  // namespace tradewind::fit
