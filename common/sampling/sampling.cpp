#include "common/sampling/sampling.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "common/errors.h"
#include "common/nearest.h"

namespace tradewind::sampling {
namespace {

constexpr std::int64_t kMostSteps = 100000;
constexpr const char* kScheduleName = "schedule_type";
constexpr const char* kSamplerName = "sampler";

enum class Kind { name, count, number, flag };
struct OptionRow {
  Part part;
  std::string_view name;
  Kind kind;
  double least = 0;      // of a number
  bool above = false;    // the least itself is not possible
  bool endless = false;  // infinity is possible
};
constexpr OptionRow kOptions[] = {
    {Part::schedule, kScheduleName, Kind::name},
    {Part::schedule, "num_steps", Kind::count},
    {Part::schedule, "sigma_max", Kind::number, 0, true},
    {Part::schedule, "sigma_min", Kind::number, 0, true},
    {Part::schedule, "rho", Kind::number, 0, true},
    {Part::schedule, "s", Kind::number, -1, true},
    {Part::sampler, kSamplerName, Kind::name},
    {Part::sampler, "S_churn", Kind::number},
    {Part::sampler, "S_min", Kind::number},
    {Part::sampler, "S_max", Kind::number, 0, false, true},
    {Part::sampler, "S_noise", Kind::number},
    {Part::sampler, "eps_prec", Kind::number},
    {Part::sampler, "euler_final_step", Kind::flag},
};

struct ChoiceRow {
  Part part;
  Objective objective;
  std::string_view name;
  std::vector<std::string> takes, needs;
};
const std::vector<ChoiceRow>& choices() {
  static const std::vector<std::string> sigmas = {"num_steps", "sigma_max", "sigma_min"};
  static const std::vector<ChoiceRow> rows = {
      {Part::schedule, Objective::denoise, "karras", {"num_steps", "sigma_max", "sigma_min", "rho"}, sigmas},
      {Part::schedule, Objective::denoise, "linear", sigmas, sigmas},
      {Part::schedule, Objective::denoise, "cosine", {"num_steps", "sigma_max", "sigma_min", "s"}, sigmas},
      {Part::schedule, Objective::denoise, "exponential", sigmas, sigmas},
      {Part::schedule, Objective::move, "unit_time", {"num_steps"}, {"num_steps"}},
      {Part::sampler, Objective::denoise, "heun", {"S_churn", "S_min", "S_max", "S_noise", "eps_prec"}, {}},
      {Part::sampler, Objective::denoise, "dpmpp_2m", {}, {}},
      {Part::sampler, Objective::move, "euler", {}, {}},
      {Part::sampler, Objective::move, "heun", {"euler_final_step"}, {}},
  };
  return rows;
}

const char* key_of(Part part) { return part == Part::schedule ? kScheduleName : kSamplerName; }
const char* word_of(Part part) { return part == Part::schedule ? "schedule" : "sampler"; }

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Of all objectives, or of one.
std::vector<std::string> choice_names(Part part, const Objective* objective) {
  std::vector<std::string> names;
  for (const ChoiceRow& row : choices()) {
    const std::string name(row.name);
    if (row.part == part && (objective == nullptr || row.objective == *objective) && !contains(names, name)) {
      names.push_back(name);
    }
  }
  return names;
}

std::string shown(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return "the text '" + text->substr(0, 60) + "'";
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  std::ostringstream out;
  if (const auto* count = std::get_if<std::int64_t>(&value)) out << *count;
  if (const auto* number = std::get_if<double>(&value)) out << *number;
  return out.str();
}

double number_of(const Value& value) {
  if (const auto* count = std::get_if<std::int64_t>(&value)) return static_cast<double>(*count);
  return std::get<double>(value);
}

// What a value must be, when it is not.
std::string must_be(const OptionRow& row, const Value& value) {
  switch (row.kind) {
    case Kind::name:
      return std::holds_alternative<std::string>(value) ? "" : "a name: " + listed(choice_names(row.part, nullptr));
    case Kind::flag:
      return std::holds_alternative<bool>(value) ? "" : "true or false";
    case Kind::count: {
      const auto* count = std::get_if<std::int64_t>(&value);
      return count && *count >= 1 && *count <= kMostSteps ? ""
                                                          : "a whole number from 1 to " + std::to_string(kMostSteps);
    }
    case Kind::number: {
      const bool is_number = std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
      const double given = is_number ? number_of(value) : 0;
      const bool in_range = row.above ? given > row.least : given >= row.least;
      if (is_number && in_range && (row.endless || std::isfinite(given))) return "";
      return row.above ? "a number above " + shown(row.least) : "a number, " + shown(row.least) + " or more";
    }
  }
  throw InternalFault("an option of no kind");
}

// The options that hold: the defaults that the chosen one takes, under what is wanted.
struct Resolved {
  std::string name;
  Options options;
};

std::string name_of(Part part, Objective objective, const Options& defaults, const Options& wanted,
                    std::string& where) {
  for (const Options* given : {&wanted, &defaults}) {
    const auto found = given->find(key_of(part));
    if (found == given->end()) continue;
    where = found->second.where;
    if (const auto* name = std::get_if<std::string>(&found->second.value)) return *name;
    throw InternalFault("options that were not checked");
  }
  throw UserError(std::string("the checkpoint names no ") + word_of(part), "",
                  std::string("give one as ") + key_of(part) + " in predict_kwargs." + word_of(part) +
                      "_params: " + listed(choice_names(part, &objective)));
}

Resolved resolve_part(Part part, Objective objective, const Options& defaults, const Options& wanted) {
  std::string where;
  Resolved out{name_of(part, objective, defaults, wanted, where), {}};
  const auto row = std::find_if(choices().begin(), choices().end(), [&](const ChoiceRow& each) {
    return each.part == part && each.objective == objective && each.name == out.name;
  });
  if (row == choices().end()) {
    const auto known = choice_names(part, &objective);
    throw UserError("no " + std::string(word_of(part)) + " '" + out.name.substr(0, 60) + "' for a model that " +
                        (objective == Objective::denoise ? "removes noise" : "moves a field in time"),
                    where, did_you_mean(out.name, known) + "known: " + listed(known));
  }
  for (const auto& [name, option] : wanted) {
    if (name == key_of(part)) continue;
    if (!contains(row->takes, name)) {
      throw UserError("the " + std::string(word_of(part)) + " " + out.name + " takes no " + name, option.where,
                      row->takes.empty() ? "leave it out" : "it takes " + listed(row->takes));
    }
    out.options[name] = option;
  }
  for (const auto& [name, option] : defaults) {
    if (contains(row->takes, name)) out.options.emplace(name, option);
  }
  for (const std::string& name : row->needs) {
    if (out.options.count(name) > 0) continue;
    throw UserError(
        "the " + std::string(word_of(part)) + " " + out.name + " needs " + name, where,
        "the checkpoint has no default: give it in predict_kwargs." + std::string(word_of(part)) + "_params");
  }
  return out;
}

void take(const Options& options, const char* name, double& to) {
  if (const auto found = options.find(name); found != options.end()) to = number_of(found->second.value);
}

}  // namespace

std::vector<std::string> option_names(Part part) {
  std::vector<std::string> names;
  for (const OptionRow& row : kOptions) {
    if (row.part == part) names.emplace_back(row.name);
  }
  return names;
}

void check(Part part, const std::string& prefix, const std::string& name, const Option& option) {
  const auto* row = std::find_if(std::begin(kOptions), std::end(kOptions),
                                 [&](const OptionRow& each) { return each.part == part && each.name == name; });
  if (row == std::end(kOptions)) {
    throw UserError("unknown option `" + prefix + name.substr(0, 60) + "`", option.where,
                    did_you_mean(name, option_names(part)) + "known: " + listed(option_names(part)));
  }
  if (const std::string wanted = must_be(*row, option.value); !wanted.empty()) {
    throw UserError("`" + prefix + name + "` must be " + wanted + ", not " + shown(option.value), option.where);
  }
  if (row->kind != Kind::name) return;
  const auto& chosen = std::get<std::string>(option.value);
  const auto known = choice_names(part, nullptr);
  if (contains(known, chosen)) return;
  throw UserError("`" + prefix + name + "`: no " + word_of(part) + " '" + chosen.substr(0, 60) + "'", option.where,
                  did_you_mean(chosen, known) + "known: " + listed(known));
}

Sampling resolve(Objective objective, const Choice& defaults, const Choice& wanted) {
  const Resolved schedule = resolve_part(Part::schedule, objective, defaults.schedule, wanted.schedule);
  const Resolved sampler = resolve_part(Part::sampler, objective, defaults.sampler, wanted.sampler);
  Sampling out;
  out.schedule.type = schedule.name;
  out.schedule.steps = std::get<std::int64_t>(schedule.options.at("num_steps").value);
  take(schedule.options, "sigma_max", out.schedule.sigma_max);
  take(schedule.options, "sigma_min", out.schedule.sigma_min);
  take(schedule.options, "rho", out.schedule.rho);
  take(schedule.options, "s", out.schedule.s);
  if (out.schedule.sigma_max < out.schedule.sigma_min) {
    throw UserError(
        "sigma_max (" + shown(out.schedule.sigma_max) + ") is below sigma_min (" + shown(out.schedule.sigma_min) + ")",
        schedule.options.at(wanted.schedule.contains("sigma_min") ? "sigma_min" : "sigma_max").where,
        "noise is removed from the higher to the lower level");
  }
  out.sampler.name = sampler.name;
  take(sampler.options, "S_churn", out.sampler.churn);
  take(sampler.options, "S_min", out.sampler.churn_min);
  take(sampler.options, "S_max", out.sampler.churn_max);
  take(sampler.options, "S_noise", out.sampler.churn_noise);
  take(sampler.options, "eps_prec", out.sampler.precision);
  if (const auto found = sampler.options.find("euler_final_step"); found != sampler.options.end()) {
    out.sampler.euler_final_step = std::get<bool>(found->second.value);
  }
  for (const double level : levels(out.schedule)) {
    if (std::isfinite(level)) continue;
    throw UserError("the schedule " + out.schedule.type + " has a level that is no number", "",
                    "give other values in predict_kwargs.schedule_params");
  }
  return out;
}

}  // namespace tradewind::sampling
