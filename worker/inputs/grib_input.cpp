#include "worker/inputs/grib_input.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/errors.h"
#include "worker/grib/geometry.h"
#include "worker/inputs/shared_index.h"

namespace tradewind::inputs {
namespace {

constexpr std::int64_t most_points = std::int64_t{1} << 28;  // 1.4 km apart all over the globe

std::string joined(const std::set<std::string>& names, std::size_t most) {
  std::string text;
  std::size_t count = 0;
  for (const auto& name : names) {
    if (count++ == most) return text + ", and " + std::to_string(names.size() - most) + " more";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

// Spellings of a unit, as m s**-1 and m s-1, are one text; empty: nothing is said.
std::string unit_text(std::string units) {
  std::erase_if(units, [](char c) { return c == ' ' || c == '*'; });
  if (units == "~" || units == "unknown") return {};
  static const std::set<std::string> numbers = {"1",       "(0-1)",    "0-1",       "dimensionless", "Dimensionless",
                                                "Numeric", "Fraction", "Proportion"};
  return numbers.contains(units) ? "1" : units;
}

using Cells = std::map<std::pair<std::string, Time>, std::vector<const grib::IndexedMessage*>>;

// One line per variable that has not exactly one field at each date.
std::string table_of_faults(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                            const Cells& cells) {
  std::size_t width = 4;
  for (const auto& name : variables) width = std::max(width, name.size());
  std::string table = "\n  " + std::string(width, ' ');
  for (const Time date : dates) table += "  " + iso_date(date);
  std::size_t lines = 0, faulty = 0;
  for (const auto& name : variables) {
    std::string line = "\n  " + name + std::string(width - name.size(), ' ');
    bool fault = false;
    for (const Time date : dates) {
      const auto cell = cells.find({name, date});
      const std::size_t count = cell == cells.end() ? 0 : cell->second.size();
      fault = fault || count != 1;
      std::string text = count == 0 ? "missing" : count == 1 ? "ok" : std::to_string(count) + " fields";
      text.resize(19, ' ');
      line += "  " + text;
    }
    if (!fault) continue;
    ++faulty;
    if (++lines <= 30) table += line.substr(0, line.find_last_not_of(' ') + 1);
  }
  return faulty > 30 ? table + "\n  and " + std::to_string(faulty - 30) + " variables more" : table;
}

// Which of the grids kept elsewhere a message means; empty where it does not say.
std::string reference_of(const grib::Handle& message) {
  std::string text;
  for (const char* key : {"numberOfGridUsed", "numberOfGridInReference", "uuidOfHGrid"})
    if (const auto value = message.text(key)) text += (text.empty() ? "" : ", ") + std::string(key) + " " + *value;
  return text.empty() ? "" : " (" + text + ")";
}

FieldPoints looked_at(const grib::Handle& message, const grib::IndexedMessage& indexed) {
  grib::NoPoints why;
  FieldPoints found{.points = grib::points_of(message, static_cast<std::size_t>(indexed.points), why),
                    .why_not = {},
                    .reference = {},
                    .where = message.where()};
  if (found.points) return found;
  found.why_not = why.why;
  found.reference = reference_of(message);
  return found;
}

}  // namespace

GribInput::GribInput(const config::GribInputConfig& config, const InputContext& context)
    : path_(config::with_dataset(config.path, context.metadata.dataset)),
      metadata_(context.metadata),
      communicator_(context.communicator),
      index_(std::make_shared<const grib::Index>(
          index_together(path_, grib::Namer(metadata_, config.namer), communicator_, warnings_))),
      grid_(std::make_shared<ExpectedGrid>()) {
  if (index_->messages().empty()) throw UserError("the GRIB input is empty", path_, "check `input` in the config");
}

// The latest of what is read. The reference takes the latest of all, and then finds no field of the model there.
std::optional<Time> GribInput::latest_date() {
  const std::set<std::string> wanted(metadata_.input.begin(), metadata_.input.end());
  const grib::IndexedMessage *latest = nullptr, *other = nullptr;
  for (const grib::IndexedMessage& one : index_->messages()) {
    const grib::IndexedMessage*& later = wanted.contains(one.name) ? latest : other;
    if (later == nullptr || later->valid_time < one.valid_time) later = &one;
  }
  if (latest == nullptr) return other->valid_time;
  if (other != nullptr && other->valid_time > latest->valid_time)
    warnings_.push_back("the forecast starts at " + iso_date(latest->valid_time) +
                        ", the latest date of what the model reads; field " + other->name + " (" +
                        index_->location(*other) + ") is of " + iso_date(other->valid_time) +
                        ", but the model does not read it");
  return latest->valid_time;
}

// What is not read need not be on the model's grid, nor on any.
const grib::IndexedMessage& GribInput::first_of_model() const {
  const auto& messages = index_->messages();
  const std::set<std::string> wanted(metadata_.input.begin(), metadata_.input.end());
  const auto first = std::find_if(messages.begin(), messages.end(),
                                  [&](const grib::IndexedMessage& one) { return wanted.contains(one.name); });
  return first == messages.end() ? messages.front() : *first;
}

std::optional<GridPoints> GribInput::grid_points(std::int64_t count) {
  const grib::IndexedMessage& first = first_of_model();
  if (first.points != count)
    throw UserError(
        "the input has " + std::to_string(first.points) + " grid points, the model has " + std::to_string(count),
        index_->location(first),
        "give fields on the model's grid" + (metadata_.grid.empty() ? "" : " (" + metadata_.grid + ")"));
  for (const grib::IndexedMessage& message : index_->messages())
    if (message.points > most_points)
      throw UserError("a field of " + std::to_string(message.points) + " grid points, more than any model has",
                      index_->location(message),
                      "take it out of the input: the message is damaged, or not meant to be read");
  grib::NoPoints why;
  auto points = grib::points_of(index_->open(first), static_cast<std::size_t>(count), why);
  gave_points_ = points.has_value();
  return points;
}

void GribInput::expect(std::shared_ptr<ExpectedGrid> grid) {
  grid_ = std::move(grid);
  if (gave_points_) grid_->accept(index_->grid(first_of_model().grid));
}

std::vector<std::string> GribInput::take_warnings() {
  std::vector<std::string> warnings = std::exchange(warnings_, {});
  for (std::string& warning : grid_->take_warnings()) warnings.push_back(std::move(warning));
  return communicator_.rank() == 0 ? warnings : std::vector<std::string>();
}

at::Tensor GribInput::read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                           const dist::RowRange& rows) {
  return read_as(at::kFloat, variables, dates, rows);
}

at::Tensor GribInput::read_double(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                                  const dist::RowRange& rows) {
  return read_as(at::kDouble, variables, dates, rows);
}

std::vector<ListedField> GribInput::list(const std::vector<std::string>& /*variables*/,
                                         const std::vector<Time>& dates) const {
  std::vector<ListedField> listed;
  for (const grib::IndexedMessage& message : index_->messages())
    if ((!forecast_ || message.base_time == *forecast_) &&
        std::find(dates.begin(), dates.end(), message.valid_time) != dates.end())
      listed.push_back({message.name, message.param, message.level, message.valid_time});
  return listed;
}

at::Tensor GribInput::read_as(at::ScalarType type, const std::vector<std::string>& variables,
                              const std::vector<Time>& dates, const dist::RowRange& rows) {
  const auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  if (variables.empty()) return at::empty({count(dates), rows.size(), 0}, type);
  const Messages messages = select(variables, dates);
  check_points(messages);
  check_grids(messages);
  for (const auto* message : messages) {
    const grib::IndexedMessage*& latest = latest_[message->name];
    if (!latest || latest->valid_time <= message->valid_time) latest = message;
  }
  const at::Tensor fields = decode(type, messages, rows);
  index_->check_unchanged(messages);
  return fields.view({count(dates), count(variables), rows.size()}).permute({0, 2, 1});
}

GribInput::Messages GribInput::select(const std::vector<std::string>& variables, const std::vector<Time>& dates) const {
  const std::set<std::string> wanted(variables.begin(), variables.end());
  const std::set<Time> when(dates.begin(), dates.end());
  Cells cells;
  std::set<std::string> others;
  std::size_t at_dates = 0, found = 0;
  Time earliest = Time::max(), latest = Time::min();
  for (const auto& message : index_->messages()) {
    earliest = std::min(earliest, message.valid_time);
    latest = std::max(latest, message.valid_time);
    if (!when.contains(message.valid_time)) continue;
    if (forecast_ && message.base_time != *forecast_) continue;
    ++at_dates;
    if (wanted.contains(message.name)) {
      cells[{message.name, message.valid_time}].push_back(&message);
      ++found;
    } else {
      others.insert(message.name);
    }
  }
  if (at_dates == 0) {
    std::string asked;
    for (const Time date : dates) asked += (asked.empty() ? "" : ", ") + iso_date(date);
    const std::string of = forecast_ ? "no field of the forecast of " + iso_date(*forecast_) : "no field of the input";
    throw UserError(of + " is valid at " + asked, path_,
                    "the input's fields are valid from " + iso_date(earliest) + " to " + iso_date(latest) +
                        ": check `date`, or give the input for it");
  }
  Messages messages;
  for (const Time date : dates)
    for (const auto& name : variables)
      if (const auto cell = cells.find({name, date}); cell != cells.end() && cell->second.size() == 1)
        messages.push_back(cell->second.front());
  if (messages.size() == variables.size() * dates.size()) return messages;
  const std::string expected = std::to_string(variables.size()) + " variables x " + std::to_string(dates.size()) +
                               " dates = " + std::to_string(variables.size() * dates.size()) + " fields";
  throw UserError("the input must hold exactly one field per variable and date: expected " + expected + ", got " +
                      std::to_string(found) + table_of_faults(variables, dates, cells),
                  path_,
                  others.empty() ? "add the missing fields, remove the duplicate ones"
                                 : "other fields at these dates: " + joined(others, 20) +
                                       "; `namer` in the config can rename them");
}

void GribInput::check_points(const Messages& messages) const {
  const std::int64_t expected = metadata_.grid_points > 0 ? metadata_.grid_points : messages.front()->points;
  for (const auto* message : messages)
    if (message->points != expected)
      throw UserError("field " + message->name + " has " + std::to_string(message->points) +
                          " grid points, the model " + std::to_string(expected),
                      index_->location(*message),
                      "give the input on the model's grid" + (metadata_.grid.empty() ? "" : " " + metadata_.grid));
}

void GribInput::check_grids(const Messages& messages) {
  std::vector<bool> seen(index_->grid_count());
  for (const auto* message : messages) {
    if (seen[message->grid]) continue;
    seen[message->grid] = true;
    grid_->check(message->name, index_->grid(message->grid),
                 [&] { return looked_at(index_->open(*message), *message); });
  }
}

// As the reference: what both sides tell must be the same. ecCodes is asked only where the checkpoint tells it.
void GribInput::check_units(const grib::IndexedMessage& message, const grib::Handle& handle) const {
  const auto variable = metadata_.variables.find(message.name);
  if (variable == metadata_.variables.end() || !variable->second.units) return;
  const std::string& wanted = *variable->second.units;
  const std::string given = handle.text("units").value_or("");
  if (unit_text(given).empty() || unit_text(wanted).empty() || unit_text(given) == unit_text(wanted)) return;
  throw UserError("field " + message.name + " is in units of " + given + ", the checkpoint was trained with " + wanted,
                  index_->location(message),
                  "give the field in those units; if they mean the same, `patch_metadata` can change units in the "
                  "checkpoint's variables_metadata");
}

void GribInput::decode_one(const grib::IndexedMessage& message, at::Tensor whole) const {
  const grib::Handle handle = index_->open(message);
  const auto check = [&](std::size_t count) {
    if (static_cast<std::int64_t>(count) == whole.numel()) return;
    throw UserError(
        "the field has " + std::to_string(count) + " values for " + std::to_string(whole.numel()) + " grid points",
        index_->location(message), "the message may be damaged");
  };
  check_units(message, handle);
  check(handle.value_count());  // before anything of that size is allocated
  const auto put = [&](const auto& values, auto* to) {
    check(values.size());
    std::copy(values.begin(), values.end(), to);
  };
  if (whole.scalar_type() == at::kFloat)
    put(handle.values(), whole.mutable_data_ptr<float>());
  else
    put(handle.values_double(), whole.mutable_data_ptr<double>());
}

at::Tensor GribInput::decode(at::ScalarType type, const Messages& messages, const dist::RowRange& rows) const {
  const auto count = static_cast<std::int64_t>(messages.size());
  const std::int64_t points = messages.front()->points, ranks = communicator_.size();
  at::Tensor result = at::empty({count, rows.size()}, type);
  // Every rank's rows, so that each can cut its fields for all of them.
  const at::Tensor ranges =
      communicator_.all_gather(at::tensor({rows.begin, rows.end}, at::kLong).view({1, 2}),
                               std::vector<std::int64_t>(static_cast<std::size_t>(ranks), 1), "input.rows");
  const auto* range = ranges.const_data_ptr<std::int64_t>();
  constexpr std::int64_t fields_at_once = 8;  // per rank: bounds what is held beyond the result
  for (std::int64_t first = 0; first < count; first += fields_at_once * ranks) {
    // In each round message first + i goes to rank i % ranks.
    const std::int64_t round = std::min(fields_at_once * ranks, count - first);
    const auto share = [&](std::int64_t rank) { return rank < round ? (round - rank - 1) / ranks + 1 : 0; };
    const std::int64_t mine = share(communicator_.rank());
    at::Tensor fields = at::empty({mine, points}, type);
    at::parallel_for(0, mine, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        decode_one(*messages[static_cast<std::size_t>(first + i * ranks + communicator_.rank())], fields[i]);
    });
    std::vector<std::int64_t> sent, received;
    std::vector<at::Tensor> parts;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      parts.push_back(fields.slice(1, range[2 * rank], range[2 * rank + 1]).reshape({-1}));
      sent.push_back(parts.back().numel());
      received.push_back(share(rank) * rows.size());
    }
    const at::Tensor got = communicator_.all_to_all(at::cat(parts), sent, received, "input.fields");
    std::int64_t at = 0;
    for (std::int64_t rank = 0; rank < ranks; ++rank)
      for (std::int64_t i = 0; i < share(rank); ++i, at += rows.size())
        result.select(0, first + i * ranks + rank).copy_(got.slice(0, at, at + rows.size()));
  }
  return result;
}

std::shared_ptr<const grib::TemplateSet> GribInput::templates(const std::vector<std::string>& variables) {
  auto set = std::make_shared<grib::TemplateSet>();
  for (const auto& name : variables)
    if (const auto message = latest_.find(name); message != latest_.end())
      set->messages[name] = [index = index_, which = message->second] { return index->bytes(*which); };
  return set;
}

}  // namespace tradewind::inputs
