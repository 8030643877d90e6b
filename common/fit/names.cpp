#include <algorithm>
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

void check_accumulations(Case& one) {
  for (const config::PostProcessorConfig& processor : one.config.post_processors) {
    const auto& accumulate = std::get<config::AccumulateFromStart>(processor);
    if (!accumulate.accumulations) {
      const auto summed = [&](const std::string& name) {
        const auto variable = one.metadata.variables.find(name);
        return variable != one.metadata.variables.end() && variable->second.accumulated();
      };
      if (std::none_of(one.metadata.output.begin(), one.metadata.output.end(), summed))
        warn(one, accumulate.at,
             "`" + accumulate.at.key + "` has no effect: the checkpoint calls no variable an accumulation");
      continue;
    }
    for (std::size_t i = 0; i < accumulate.accumulations->size(); ++i) {
      const std::string& name = (*accumulate.accumulations)[i];
      if (holds(one.metadata.output, name)) continue;
      refuse(one, accumulate.accumulations_at.at(i),
             "`" + accumulate.accumulations_at[i].key + "`: '" + config::clipped(name) +
                 "' is no variable that this checkpoint forecasts",
             did_you_mean(name, one.metadata.output) + inspect(one));
    }
  }
}

void check_typed_variables(Case& one) {
  const config::Node* typed = one.document.root.find("typed_variables");
  if (typed == nullptr || !typed->is_map()) return;
  const Names known = {"mars",  "process",     "period",           "units",           "constant_in_time",
                       "param", "description", "computed_forcing", "is_accumulation", "long_name"};
  const Names variables = all_variables(one.metadata);
  for (const config::Node::Entry& entry : typed->entries) {
    const std::string key = "typed_variables." + entry.key;
    if (!holds(variables, entry.key))
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

void check_variable(Case& one, const config::Place& at, const std::string& name) {
  const Names variables = all_variables(one.metadata);
  if (holds(variables, name)) return;
  warn(one, at,
       "`" + at.key + "`: '" + config::clipped(name) + "' is no variable of this checkpoint; " +
           did_you_mean(name, variables) + inspect(one));
}

void check_keys_by_param(Case& one, const config::Json& keys, const std::string& option) {
  std::set<std::string> params;
  for (const std::string& name : all_variables(one.metadata)) {
    const auto variable = one.metadata.variables.find(name);
    params.insert(variable == one.metadata.variables.end() ? name : variable->second.param());
  }
  const Names known(params.begin(), params.end());
  for (const auto& [param, value] : keys.items())
    if (!params.contains(param))
      one.findings.warn(one.where("output"), "`" + option + "." + config::clipped(param) +
                                                 "` is for no param of this checkpoint's variables; " +
                                                 did_you_mean(param, known) + inspect(one));
}

void check_grib(Case& one) {
  const auto* grib = std::get_if<config::GribOutputConfig>(&one.config.output);
  if (grib == nullptr) return;
  check_keys_by_param(one, grib->grib1_keys, "grib1_keys");
  check_keys_by_param(one, grib->grib2_keys, "grib2_keys");
  for (const config::TemplateConfig& provider : grib->templates) {
    if (const auto* input = std::get_if<config::InputTemplates>(&provider)) {
      for (const auto& [name, from] : input->fallback) {
        check_variable(one, input->fallback_at.at(name), name);
        check_variable(one, input->fallback_at.at(name), from);
      }
    }
    if (const auto* file = std::get_if<config::FileTemplates>(&provider); file != nullptr && file->variables)
      for (const std::string& name : *file->variables) check_variable(one, file->variables_at, name);
  }
}

void check_dataset(Case& one) {
  if (!one.config.dataset || *one.config.dataset == one.metadata.dataset) return;
  one.findings.refuse(UserError("the dataset '" + config::clipped(*one.config.dataset) + "' is not in the checkpoint",
                                one.where("input").text(),
                                "it has '" + one.metadata.dataset + "'; or leave the dataset's name out"));
}

}  // namespace

void check_names(Case& one) {
  check_accumulations(one);
  check_typed_variables(one);
  check_patch(one);
  check_grib(one);
  check_dataset(one);
}

}  // namespace tradewind::fit
