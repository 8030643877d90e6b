#include "worker/filters/transform.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numbers>
#include <utility>

#include "common/errors.h"
#include "worker/filters/apply_mask.h"

namespace tradewind::filters {
namespace {

constexpr double gravity = 9.80665;  // m/s2, of earthkit-meteo

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<bool> mask_of_file(const config::TransformConfig& config) {
  const auto* mask = std::get_if<config::ApplyMask>(&config);
  return mask == nullptr || !mask->path ? std::vector<bool>() : read_mask_of(*mask);
}

// Angles times this factor, as NumPy makes it of each type.
at::Tensor scaled(const at::Tensor& angle, double numerator, double denominator) {
  const bool single = angle.scalar_type() == at::kFloat;
  return angle * (single ? static_cast<double>(static_cast<float>(numerator) / static_cast<float>(denominator))
                         : numerator / denominator);
}

// Changes the values, where they are there, of the fields that are meant; returns how many.
template <typename Means, typename Change>
std::size_t change_each(Fields& fields, Means&& means, Change&& change) {
  std::size_t count = 0;
  for (Field& field : fields) {
    if (!means(field)) continue;
    ++count;
    field.changed = true;
    if (field.values.defined()) field.values = change(field.values);
  }
  return count;
}

}  // namespace

Transform::Transform(const config::TransformConfig& config, bool backward, config::Origin at,
                     const FilterContext& context)
    : config_(config),
      backward_(backward),
      at_(std::move(at)),
      names_(context.named_by != nullptr ? *context.named_by : context.metadata),
      rank_(context.rank),
      mask_(mask_of_file(config)) {}

std::size_t Transform::change(Fields& fields, const Given& given) const {
  return std::visit([&](const auto& kind) { return change(fields, given, kind); },
                    static_cast<const config::TransformKinds&>(config_));
}

void Transform::rename(Field& field, const std::string& param) const {
  field.param = param;
  field.variable = names_.name_of(param, field.level);
}

// Fields that are not touched keep their order; what is made comes last.
std::size_t Transform::change(Fields& fields, const Given& /*given*/,
                              const config::CosSinMeanWaveDirection& config) const {
  Fields kept, from;
  for (Field& field : fields) {
    const bool taken =
        backward_ ? field.param == config.cosine || field.param == config.sine : field.param == config.direction;
    (taken ? from : kept).push_back(std::move(field));
  }
  fields = std::move(kept);
  if (from.empty()) return 0;
  if (backward_)
    direction_backward(fields, from, config);
  else
    for (Field& field : from) direction_forward(fields, field, config);
  return from.size();
}

void Transform::direction_forward(Fields& fields, Field& from, const config::CosSinMeanWaveDirection& config) const {
  from.changed = true;
  from.start_step.reset();
  Field cosine = from, sine = from;
  if (from.values.defined()) {
    const at::Tensor angle = scaled(from.values, std::numbers::pi, 180);
    cosine.values = angle.cos();
    sine.values = angle.sin();
  }
  rename(cosine, config.cosine);
  rename(sine, config.sine);
  fields.push_back(std::move(cosine));
  fields.push_back(std::move(sine));
}

void Transform::direction_backward(Fields& fields, Fields& from, const config::CosSinMeanWaveDirection& config) const {
  const auto one = [&](const std::string& param) -> const Field& {
    const auto found = std::find_if(from.begin(), from.end(), [&](const Field& field) { return field.param == param; });
    if (found != from.end() && from.size() == 2) return *found;
    throw UserError("`" + at_.key + "` needs one field " + config.cosine + " and one " + config.sine, at_.where,
                    "give the filter the names that the checkpoint has");
  };
  const Field &cosine = one(config.cosine), &sine = one(config.sine);
  Field made = cosine;
  made.changed = true;
  made.start_step.reset();
  made.of.insert(made.of.end(), sine.of.begin(), sine.of.end());
  if (cosine.values.defined()) {
    at::Tensor direction = scaled(at::atan2(sine.values, cosine.values), 180, std::numbers::pi);
    direction = at::where(direction >= 360, direction - 360, direction);
    made.values = at::where(direction < 0, direction + 360, direction);
  }
  rename(made, config.direction);
  fields.push_back(std::move(made));
}

// Of this rank's rows, where it is known at once; undefined otherwise. Takes the mask's field out.
at::Tensor Transform::take_mask(Fields& fields, const Given& given, const config::ApplyMask& config,
                                std::vector<std::size_t>& mask_of) const {
  if (config.field) {
    const auto is_mask = [&](const Field& field) { return field.param == *config.field; };
    const auto found = std::find_if(fields.begin(), fields.end(), is_mask);
    if (found == fields.end()) {
      if (!given.all) return {};  // none of these is masked
      throw UserError("`" + at_.key + "`: the mask's field " + *config.field + " is not there", at_.where,
                      "name a parameter that is there at every step, or skip_initial_state: true");
    }
    const at::Tensor mask = found->values.defined() ? meant_by_mask(found->values, config) : at::Tensor();
    mask_of = found->of;
    if (!config.keeps_mask) std::erase_if(fields, is_mask);
    return mask;
  }
  if (config.of_itself || given.rows == nullptr) return {};
  if (given.rows->total() != static_cast<std::int64_t>(mask_.size()))
    throw UserError("`" + at_.key + "`: the mask '" + *config.path + "' is of " + std::to_string(mask_.size()) +
                        " points, the fields have " + std::to_string(given.rows->total()),
                    at_.where, "use a mask of the grid on which the fields are there");
  return rows_of_mask(mask_, given.rows->range(rank_));
}

std::size_t Transform::change(Fields& fields, const Given& given, const config::ApplyMask& config) const {
  std::vector<std::size_t> mask_of;
  const at::Tensor mask = take_mask(fields, given, config, mask_of);
  std::size_t count = 0;
  for (Field& field : fields) {
    if (!config.params.empty() && !holds(config.params, field.param)) continue;
    ++count;
    field.changed = true;
    field.of.insert(field.of.end(), mask_of.begin(), mask_of.end());
    if (field.values.defined())
      field.values = with_gaps(field.values, config.of_itself ? meant_by_mask(field.values, config) : mask);
    if (config.suffix) rename(field, field.param + "_" + *config.suffix);
  }
  return count;
}

std::size_t Transform::change(Fields& fields, const Given& /*given*/, const config::Rescale& config) const {
  return change_each(
      fields, [&](const Field& field) { return field.param == config.param; },
      [&](const at::Tensor& values) {
        return backward_ ? (values - config.offset) / config.scale : values * config.scale + config.offset;
      });
}

std::size_t Transform::change(Fields& fields, const Given& /*given*/, const config::ImputeNans& config) const {
  return change_each(
      fields, [&](const Field& field) { return holds(config.params, field.param); },
      [&](const at::Tensor& values) { return values.masked_fill(values.isnan(), config.value); });
}

std::size_t Transform::change(Fields& fields, const Given& /*given*/, const config::Rename& config) const {
  std::size_t count = 0;
  for (Field& field : fields) {
    const auto to = config.params.find(field.param);
    if (to == config.params.end()) continue;
    rename(field, to->second);
    ++count;
  }
  return count;
}

std::size_t Transform::change(Fields& fields, const Given& /*given*/, const config::Clip& config) const {
  return change_each(
      fields, [&](const Field& field) { return field.param == config.param; },
      [&](const at::Tensor& values) {
        const at::Tensor above = config.minimum ? values.clamp_min(*config.minimum) : values;
        return config.maximum ? above.clamp_max(*config.maximum) : above;
      });
}

std::size_t Transform::change(Fields& fields, const Given& /*given*/, const config::Drop& config) const {
  return std::erase_if(fields, [&](const Field& field) {
    return (config.params.empty() || holds(config.params, field.param)) &&
           (config.levels.empty() || holds(config.levels, field.level));
  });
}

std::size_t Transform::change(Fields& fields, const Given& /*given*/, const config::OrogToZ& config) const {
  const bool backward = backward_ != config.reversed;
  const std::string &from = backward ? config.geopotential : config.orography,
                    &to = backward ? config.orography : config.geopotential;
  std::size_t count = 0;
  for (Field& field : fields) {
    if (field.param != from) continue;
    ++count;
    field.changed = true;
    if (field.values.defined()) field.values = backward ? field.values / gravity : field.values * gravity;
    rename(field, to);
  }
  return count;
}

std::size_t Transform::change(Fields& fields, const Given& /*given*/, const config::Noop& /*config*/) const {
  return fields.size();
}

}  // namespace tradewind::filters
