#include "worker/outputs/raw_output.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "common/clock.h"
#include "common/errors.h"
#include "worker/dist/texts.h"
#include "worker/dist/transpose.h"
#include "worker/fields/selection.h"
#include "worker/outputs/room.h"
#include "worker/outputs/whole_fields.h"

namespace tradewind::outputs {
namespace {

// Packing shares the CPUs with the model, so it takes few of them.
int packing_threads() { return std::clamp(at::get_num_threads() / 2, 1, 8); }

std::string formatted(Time time, const std::string& format) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 256> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format.c_str(), &parts)};
}

// As Python writes a timedelta: 6:00:00, 1 day, 0:00:00.
std::string python_text(Duration step) {
  using std::chrono::days;
  const auto whole = std::chrono::floor<days>(step).count();
  const std::chrono::hh_mm_ss<Duration> rest(step - days(whole));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%d:%02d:%02d", static_cast<int>(rest.hours().count()),
                static_cast<int>(rest.minutes().count()), static_cast<int>(rest.seconds().count()));
  if (whole == 0) return text.data();
  return std::to_string(whole) + (std::abs(whole) == 1 ? " day, " : " days, ") + text.data();
}

void replace_all(std::string& text, const std::string& key, const std::string& value) {
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + value.size()))
    text.replace(at, key.size(), value);
}

}  // namespace

RawOutput::RawOutput(const config::RawOutputConfig& config, const OutputContext& context,
                     dist::Communicator& communicator)
    : config_(config),
      context_(context),
      communicator_(communicator),
      sink_(context.pending_bytes, communicator.observer(), context.streams),
      layout_(communicator, sink_, context.site_probe ? context.site_probe : site_of),
      threads_(packing_threads()) {
  config_.dir = config::with_dataset(config_.dir, context.metadata.dataset);
  if (!context.run_words.empty()) sink_.of_run(context.run_words);
}

std::string RawOutput::path_of(Time base, Duration step) const {
  std::string name = config_.file_template;
  replace_all(name, "{date}", formatted(base + step, config_.strftime));
  replace_all(name, "{basetime}", formatted(base, config_.strftime));
  replace_all(name, "{step}", python_text(step));
  return config_.dir + "/" + name;
}

bool RawOutput::wants(Duration step) const {
  return fields::is_due(config_.common, context_.write_initial_state, context_.output_frequency, step);
}

std::vector<std::int64_t> RawOutput::selected(const State& state) const {
  std::vector<std::int64_t> positions;
  for (std::size_t i = 0; i < state.variables.size(); ++i)
    if (fields::is_selected(config_.common.variables, state.variables[i], context_.metadata))
      positions.push_back(static_cast<std::int64_t>(i));
  return positions;
}

std::vector<std::string> RawOutput::prepare(const Outlook& outlook) {
  const Due due = outlook.due([this](Duration step) { return wants(step); });
  std::size_t most = 0;
  for (const State& state : due.states) most = std::max(most, selected(state).size());
  if (most == 0) fields::refuse_nothing(config_.common, due, "output.raw");
  if (!due.states.front().grid->points)
    throw UserError("the output `raw` holds the coordinates of the grid's points, and they are not known", "output.raw",
                    "give an input with coordinates");
  std::set<std::string> paths;
  const auto add = [&](Duration step) {
    if (wants(step) && !paths.insert(path_of(outlook.initial.base, step)).second)
      throw UserError("two states would be written to " + path_of(outlook.initial.base, step), "output.raw",
                      "let `template` and `strftime` tell them apart");
  };
  add(Duration::zero());
  for (const Outlook::Moment& moment : outlook.moments) add(moment.step);
  if (communicator_.rank() != 0) return {};
  for (const std::string& path : paths) check_place(path);
  // Packed bytes are fewer, by how much only the values tell.
  constexpr std::uint64_t bytes_of_value = 4, bytes_of_place = 16;
  const auto points = static_cast<std::uint64_t>(due.states.front().grid->rows.total());
  return check_room(
      {*paths.begin()},
      {.first = 0, .all = static_cast<std::uint64_t>(due.count) * points * (most * bytes_of_value + bytes_of_place)});
}

void RawOutput::write(const State& state) {
  if (!wants(state.step)) return;
  finish_step();
  const std::vector<std::int64_t> positions = selected(state);
  if (positions.empty()) return;
  auto step = std::make_unique<Step>();
  step->step = state.step;
  step->path = path_of(state.base, state.step);
  if (!begun_.insert(step->path).second) throw InternalFault("two states are written to one file", step->path);
  step->date = iso_date(state.base + state.step);
  std::replace(step->date.begin(), step->date.end(), 'T', ' ');
  gather_fields(state, positions, *step);
  gather_coordinates(*state.grid, positions.size(), *step);
  step->arrays = positions.size() + 3;
  step_ = std::move(step);
  threads_.start(step_->own.size(),
                 [this, current = step_.get()](std::size_t i) { pack(current->own[i], current->date); });
}

void RawOutput::gather_fields(const State& state, const std::vector<std::int64_t>& positions, Step& step) {
  std::vector<at::Tensor> values = whole_fields(communicator_, state, positions);
  const auto size = static_cast<std::size_t>(communicator_.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t position = positions[i * size + static_cast<std::size_t>(communicator_.rank())];
    step.own.push_back({"field_" + state.variables[static_cast<std::size_t>(position)], std::move(values[i]), {}});
  }
}

// The arrays after the fields, of which the first has number `first`.
void RawOutput::gather_coordinates(const fields::Grid& grid, std::size_t first, Step& step) {
  const int size = communicator_.size(), rank = communicator_.rank();
  const auto owner_of = [&](std::size_t number) {
    return static_cast<int>((first + number) % static_cast<std::size_t>(size));
  };
  if (owner_of(0) == rank) step.own.push_back({"date", {}, {}});
  for (const int owner : {owner_of(1), owner_of(2)}) {
    if (!served_.insert(owner).second) continue;
    const at::Tensor own = at::stack({at::tensor(grid.points->latitudes), at::tensor(grid.points->longitudes)});
    const dist::FieldLayout layout{
        .owners = {owner, owner}, .row_counts = grid.rows.counts(), .max_bytes = exchange_bytes};
    dist::fields_to_owners(
        communicator_, own, layout,
        [&](const std::vector<std::int64_t>& some, const at::Tensor& whole) {
          for (std::size_t i = 0; i < some.size(); ++i) {
            const at::Tensor field = whole[static_cast<std::int64_t>(i)];
            if (some[i] == 0) latitudes_ = npz::pack("latitudes", field);
            if (some[i] == 1) longitudes_ = npz::pack("longitudes", field);
          }
        },
        "output.fields");
  }
  if (owner_of(1) == rank) step.own.push_back({"latitudes", {}, {}});
  if (owner_of(2) == rank) step.own.push_back({"longitudes", {}, {}});
}

void RawOutput::pack(Array& array, const std::string& date) {
  const auto begin = Clock::now();
  if (array.name == "date")
    array.part = npz::pack_text("date", date);
  else if (array.name == "latitudes")
    array.part = *latitudes_;
  else if (array.name == "longitudes")
    array.part = *longitudes_;
  else
    array.part = npz::pack(array.name, array.values);
  array.values = at::Tensor();
  packing_nanoseconds_ += std::chrono::nanoseconds(Clock::now() - begin).count();
}

// Waits for the state being packed and hands its bytes on, the zip's directory after them.
void RawOutput::finish_step() {
  if (!step_) return;
  threads_.wait();
  nlohmann::json told = nlohmann::json::array();
  std::vector<Message> messages;
  for (Array& array : step_->own) {
    const npz::ZipEntry& entry = array.part.entry;
    told.push_back({entry.name, entry.crc, entry.size, entry.packed, entry.deflated});
    messages.push_back({step_->path, std::move(array.part.bytes)});
  }
  const auto size = static_cast<std::size_t>(communicator_.size());
  std::vector<nlohmann::json> all;
  for (const std::string& text : dist::gather_texts(communicator_, told.dump(), "output.sizes"))
    all.push_back(nlohmann::json::parse(text));
  if (static_cast<int>(step_->arrays % size) == communicator_.rank()) {
    std::vector<npz::ZipEntry> entries;
    for (std::size_t i = 0; i < step_->arrays; ++i) {
      const nlohmann::json& one = all[i % size].at(i / size);
      entries.push_back({.name = one[0], .crc = one[1], .size = one[2], .packed = one[3], .deflated = one[4]});
    }
    messages.push_back({step_->path, npz::directory_of(entries)});
  }
  layout_.append(std::move(messages), step_->arrays + 1);
  sink_.mark(step_->step);
  step_.reset();
}

void RawOutput::close() {
  finish_step();
  sink_.flush();
  communicator_.barrier("output.close");
  if (communicator_.rank() == 0) sink_.publish();
  communicator_.barrier("output.close");
}

Settled RawOutput::settle() {
  finish_step();
  sink_.flush();
  return {layout_.begun(), {}};
}

OutputFigures RawOutput::figures() const {
  OutputFigures figures = sink_.figures();
  figures.encoding_seconds = 1e-9 * static_cast<double>(packing_nanoseconds_.load());
  return figures;
}

std::string RawOutput::caution() const {
  if (sink_.unlocked() == 0) return {};
  return "no lock could be had for " + std::to_string(sink_.unlocked()) +
         " output files (the file system keeps none, or they are too many): let no other run write to " + config_.dir;
}

}  // namespace tradewind::outputs
