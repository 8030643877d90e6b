#include "worker/forecast/dataset_run.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "worker/forecast/outlook.h"

namespace tradewind::forecast {

outputs::State first_state(const InitialState& initial, const Roles& roles,
                           const std::vector<std::string>& categories) {
  outputs::State state;
  state.base = initial.date;
  const at::Tensor latest = initial.x.select(0, initial.date_row < 0 ? initial.x.size(0) - 1 : initial.date_row);
  std::vector<at::Tensor> fields;
  for (const auto& [category, chosen] : {std::pair<const char*, const NamedColumns*>{"prognostics", &roles.prognostic},
                                         {"constant_forcings", &roles.constant},
                                         {"dynamic_forcings", &roles.dynamic}}) {
    if (std::find(categories.begin(), categories.end(), category) == categories.end()) continue;
    for (std::size_t i = 0; i < chosen->names.size(); ++i) {
      state.variables.push_back(chosen->names[i]);
      fields.push_back(latest.select(1, chosen->columns[i]));
    }
  }
  state.values = fields.empty() ? at::empty({0, latest.size(0)}, at::kFloat) : at::stack(fields).contiguous();
  return state;
}

DatasetRun::DatasetRun(DatasetParts parts, at::Device device)
    : output_variables_(std::move(parts.output_variables)),
      prognostic_columns_(std::move(parts.prognostic_columns)),
      roles_(std::move(parts.roles)),
      dynamic_(std::move(parts.dynamic)),
      boundary_(std::move(parts.boundary)),
      rows_(parts.shards.range(parts.rank)),
      reread_(std::move(parts.reread)),
      delivery_(std::move(parts.delivery)),
      grid_(std::make_shared<const fields::Grid>(
          fields::Grid{fields::Rows(parts.shards),
                       std::make_shared<const fields::Points>(parts.initial.points->slice(rows_.begin, rows_.end))})),
      pipeline_([to = delivery_.get()](outputs::State state) { to->deliver(std::move(state)); }, !device.is_cpu()),
      first_(first_state(parts.initial, roles_, parts.initial_categories)),
      x_(std::move(parts.initial.x)),
      device_(device) {
  first_->grid = grid_;
  if (!parts.output_order.empty()) {
    std::vector<std::string> names;
    for (const std::int64_t column : parts.output_order)
      names.push_back(output_variables_.at(static_cast<std::size_t>(column)));
    output_variables_ = std::move(names);
    output_order_ = at::tensor(parts.output_order, at::kLong).to(device);
  }
  if (!roles_.computed_dynamic.empty())
    computed_ = make_computed(roles_.computed_dynamic, *parts.initial.points, rows_);
}

std::vector<std::string> DatasetRun::begin(const Plan& plan, std::size_t number) {
  auto warnings = delivery_->prepare(outlook_of(*first_, plan, number, output_variables_));
  delivery_->deliver(std::move(*first_));
  first_.reset();
  x_ = x_.to(device_);
  return warnings;
}

void DatasetRun::resume(DatasetPoint point) {
  first_.reset();
  delivery_->resume(point);
  x_ = point.x.to(device_);
}

void DatasetRun::add_states(const Plan& plan, const DatasetCall& call, const at::Tensor& y) {
  if (output_variables_.empty()) return;
  for (const DueState& due : call.states) {
    const at::Tensor row = y.select(0, due.row);
    pipeline_.add({plan.date(), due.step, due.previous, output_variables_, {}, {}, grid_},
                  output_order_.defined() ? row.index_select(1, output_order_) : row);
  }
}

void DatasetRun::advance(const Plan& plan, const DatasetSteps& steps, const DatasetCall& call, const at::Tensor& y) {
  if (reread_) {
    x_ = reread_(plan.valid(call.next_start)).to(device_);
    return;
  }
  forecast::advance(x_, y, steps.moves, prognostic_columns_);
  for (const FilledRow& filled : call.filled) {
    const Time valid = plan.valid(filled.lead);
    if (computed_) put_columns(x_, filled.row, roles_.computed_dynamic.columns, (*computed_)(valid));
    if (!roles_.dynamic.empty()) {
      const at::Tensor fields = dynamic_->read(roles_.dynamic.names, {valid}, rows_);
      put_columns(x_, filled.row, roles_.dynamic.columns, fields.select(0, 0).t().contiguous());
    }
    if (boundary_) boundary_->put(x_, filled.row, roles_.prognostic, valid);
  }
}

DatasetPoint DatasetRun::settle() {
  pipeline_.drain();
  DatasetPoint point{.output = {}, .x = x_.to(at::kCPU), .sums = {}};
  delivery_->settle(point);
  return point;
}

void DatasetRun::close() {
  pipeline_.drain();
  delivery_->close();
}

}  // namespace tradewind::forecast
