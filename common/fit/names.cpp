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
  const Names variables = all_variables(one.metadata);
  const std::set<std::string> made = made_by_filters(one);
  for (const config::Node::Entry& entry : typed->entries) {
    const std::string key = "typed_variables." + entry.key;
    if (!holds(variables, entry.key) && !made.contains(entry.key))
      one.findings.warn(entry.where, config::quoted(key) + " is for no variable of this checkpoint; " +
                                         did_you_mean(entry.key, variables) + inspect(one));
    for (const config::Node::Entry& inner : entry.value.entries)
      if (!holds(known, inner.key))
        one.findings.warn(inner.where, config::quoted(key + "." + inner.key) +
                                           " is not known here and has no effect; " + did_you_mean(inner.key, known));
  }
}

// Where a dotted path of patch_metadata stands, and what stands beside it in the checkpoint.
void check_patch(Case& one) {
  for (const std::string& path : one.metadata.new_keys) {
    const config::Node* node = one.document.root.find("patch_metadata");
    const config::Location* where = &one.where("patch_metadata");
    const checkpoint::Json* beside = &one.metadata.raw;
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

bool is_accumulation(const Case& one, const std::string& name) {
  const auto variable = one.metadata.variables.find(name);
  return variable != one.metadata.variables.end() && variable->second.accumulated();
}

Names all_params(const checkpoint::Metadata& metadata) {
  std::set<std::string> params;
  for (const std::string& name : all_variables(metadata)) {
    const auto variable = metadata.variables.find(name);
    params.insert(variable == metadata.variables.end() ? name : variable->second.param());
  }
  return {params.begin(), params.end()};
}

void check_name(Case& one, const config::NameUse& use) {
  using Must = config::NameUse::Must;
  const std::string key = config::quoted(use.at.key);
  const std::string name = std::string("'").append(config::clipped(use.name)).append("'");
  const auto hint = [&](const Names& known) { return did_you_mean(use.name, known) + inspect(one); };
  const Names& forecast = one.metadata.output;
  const Names variables = all_variables(one.metadata), params = all_params(one.metadata);
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
  if (use.must == Must::be_file_or_array && !one.metadata.arrays.contains(use.name) &&
      !std::filesystem::is_regular_file(use.name, error)) {
    Names arrays;
    for (const auto& [array, unused] : one.metadata.arrays) arrays.push_back(array);
    if (std::filesystem::exists(std::filesystem::symlink_status(use.name, error)))
      return refuse(one, use.at, key + ": " + name + " is no regular file", "give a file, or the name of an array");
    refuse(one, use.at, key + ": " + name + " is neither a file nor an array of this checkpoint",
           did_you_mean(use.name, arrays) + "paths are relative to the current folder; " + inspect(one));
  }
  if (use.must == Must::be_accumulations &&
      std::none_of(forecast.begin(), forecast.end(), [&](const auto& each) { return is_accumulation(one, each); }))
    warn(one, use.at, key + " has no effect: the checkpoint calls no variable an accumulation");
}

void check_uses(Case& one) {
  config::Uses uses;
  for (const config::FilterConfig& filter : one.config.post_processors) filter.uses(uses);
  one.config.output.uses(uses);
  for (const config::NameUse& use : uses.names) check_name(one, use);
}

void check_dataset(Case& one) {
  if (!one.config.dataset || *one.config.dataset == one.metadata.dataset) return;
  one.findings.refuse(UserError("the dataset '" + config::clipped(*one.config.dataset) + "' is not in the checkpoint",
                                one.where("input").text(),
                                "it has '" + one.metadata.dataset + "'; or leave the dataset's name out"));
}

}  // namespace

void check_names(Case& one) {
  check_uses(one);
  check_typed_variables(one);
  check_patch(one);
  check_dataset(one);
}

}  // namespace tradewind::fit
