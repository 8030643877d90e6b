#include "worker/compare/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "common/errors.h"
#include "worker/compare/messages.h"
#include "worker/compare/scores.h"

namespace tradewind::compare {
namespace {

using Json = grib::Json;

// The largest difference that packing makes of fields that are the same within the tolerance: half a step of each, and
// the distance of the two minima, from which each counts its steps. Minima further apart than the tolerance are a
// difference of the fields and explain nothing. The last terms are for decoding in double precision.
double packing_difference(const Packing& a, const Packing& b, double tolerance) {
  const double apart = std::abs(a.minimum - b.minimum);
  return a.step / 2 + b.step / 2 + (apart <= tolerance ? apart : 0) + 1e-15 * std::abs(b.minimum) + 1e-8 * b.step;
}

// A message of B with its match in A.
struct Pair {
  const MessageKeys* got;
  const MessageKeys* wanted;
};

struct Row {
  std::string field;
  Duration lead{};
  Scores scores;
  std::optional<Scores> persistence;
};

class Comparison {
 public:
  explicit Comparison(const CompareOptions& options)
      : options_(options), got_(options.got), wanted_(options.wanted), climatology_(climatology_kind()) {
    if (options.persistence) persistence_.emplace(*options.persistence);
  }

  int run(std::ostream& out) {
    match();
    for (const Pair& pair : pairs_)
      if (options_.steps.empty() ||
          std::find(options_.steps.begin(), options_.steps.end(), pair.wanted->lead) != options_.steps.end())
        score_pair(pair);
    if (rows_.empty() && faults_.empty())
      throw UserError("no message of " + options_.got + " has a match in " + options_.wanted, "compare",
                      "both files must hold fields of the same parameters, dates and steps");
    options_.json ? print_json(out) : print_text(out);
    return faults_.empty() ? 0 : 1;
  }

 private:
  Climatology climatology_kind() const {
    if (options_.climatology == "zonal-mean") return Climatology::zonal_mean;
    if (options_.climatology == "mean") return Climatology::mean;
    throw UserError("climatology '" + options_.climatology + "' is not known", "--climatology",
                    "use zonal-mean or mean");
  }

  void match() {
    std::map<std::string, std::vector<const MessageKeys*>> of_got;
    for (auto message = got_.messages().rbegin(); message != got_.messages().rend(); ++message)
      of_got[message->identity].push_back(&*message);  // the first last, to be taken first
    for (const MessageKeys& wanted : wanted_.messages()) {
      auto& same = of_got[wanted.identity];
      if (same.empty()) {
        fault("missing: " + wanted.label);
        continue;
      }
      pairs_.push_back({same.back(), &wanted});
      same.pop_back();
    }
    if (options_.scores_only) return;
    for (const auto& [identity, rest] : of_got)
      for (const MessageKeys* message : rest) fault("extra: " + message->label);
    const auto out_of_order = std::is_sorted_until(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
      return a.got->extent.offset < b.got->extent.offset;
    });
    if (out_of_order != pairs_.end()) fault("order: " + out_of_order->wanted->label + " comes too early");
    for (const Pair& pair : pairs_) compare_keys(pair);
  }

  void compare_keys(const Pair& pair) {
    std::string differences;
    for (std::size_t i = 0; i < pair.wanted->keys.size(); ++i) {
      const auto& [key, want] = pair.wanted->keys[i];
      const std::string& have = pair.got->keys[i].second;
      if (have != want)
        differences.append(" ").append(key).append("=").append(have).append(" (want ").append(want).append(")");
    }
    if (!differences.empty()) fault("keys of " + pair.wanted->label + ":" + differences);
  }

  const Grid& grid_of(const grib::Handle& message, const MessageKeys& keys) {
    auto& grid = grids_[keys.grid];
    if (!grid) grid = std::make_unique<Grid>(message.reals("latitudes"));
    return *grid;
  }

  void score_pair(const Pair& pair) {
    const grib::Handle wanted = wanted_.open(*pair.wanted);
    const std::vector<double> a = got_.open(*pair.got).values_double(), b = wanted.values_double();
    const Grid& grid = grid_of(wanted, *pair.wanted);
    if (a.size() != b.size() || b.size() != grid.weights.size() ||
        !std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return std::isnan(x) == std::isnan(y); })) {
      faults_.push_back(pair.wanted->label + ": number of points or missing values differ");
      return;
    }
    // Parallels of one or two points (unstructured grids) have no mean of their own.
    const bool zonal = climatology_ == Climatology::zonal_mean && grid.parallels * 4 <= b.size();
    const std::vector<double> climatology =
        climatology_of(b, grid, zonal ? Climatology::zonal_mean : Climatology::mean);
    Row row{pair.wanted->field, pair.wanted->lead, score(a, b, grid, climatology), {}};
    if (persistence_) row.persistence = score(persistence_of(*pair.wanted, b.size()), b, grid, climatology);
    const double relative = row.scores.max_difference / row.scores.deviation;
    worst_ = std::max(worst_, relative);
    const double tolerance = options_.tolerance * row.scores.deviation;
    if (!(row.scores.max_difference <=
          std::max(tolerance, packing_difference(pair.got->packing, pair.wanted->packing, tolerance)))) {
      char text[64];
      std::snprintf(text, sizeof text, ": differs by %.2e of its standard deviation", relative);
      fault(pair.wanted->label + text);
    }
    rows_.push_back(std::move(row));
  }

  std::vector<double> persistence_of(const MessageKeys& wanted, std::size_t points) {
    const auto& messages = persistence_->messages();
    const auto found = std::find_if(messages.begin(), messages.end(), [&](const MessageKeys& message) {
      return message.field == wanted.field && message.valid == wanted.base;
    });
    if (found == messages.end())
      throw UserError("no field " + wanted.field + " valid at " + iso_date(wanted.base), persistence_->path(),
                      "give the file the forecast started from");
    std::vector<double> values = persistence_->open(*found).values_double();
    if (values.size() != points)
      throw UserError("field " + wanted.field + " has another number of points", persistence_->path());
    return values;
  }

  void fault(std::string text) {
    if (!options_.scores_only) faults_.push_back(std::move(text));
  }

  void print_json(std::ostream& out) const {
    const auto figure = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
    Json fields = Json::array();
    for (const Row& row : rows_) {
      Json field = {{"field", row.field},
                    {"step", std::chrono::duration_cast<std::chrono::seconds>(row.lead).count() / 3600.0},
                    {"max_over_std", figure(row.scores.max_difference / row.scores.deviation)},
                    {"rmse", figure(row.scores.rmse)},
                    {"bias", figure(row.scores.bias)},
                    {"acc", figure(row.scores.correlation)},
                    {"rms_anomaly", figure(row.scores.anomaly)}};
      if (row.persistence) {
        field["rmse_persistence"] = figure(row.persistence->rmse);
        field["acc_persistence"] = figure(row.persistence->correlation);
      }
      fields.push_back(std::move(field));
    }
    out << Json({{"messages", got_.messages().size()},
                 {"worst_over_std", figure(worst_)},
                 {"tolerance", options_.tolerance},
                 {"faults", faults_},
                 {"fields", fields}})
               .dump(1)
        << "\n";
  }

  void print_text(std::ostream& out) const {
    std::size_t width = 5;
    for (const Row& row : rows_) width = std::max(width, row.field.size());
    char line[256];
    const auto name = [&](const std::string& text) { return text + std::string(width - text.size(), ' '); };
    out << name("field") << "    step  max/std       RMSE       bias     ACC"
        << (persistence_ ? "  persistence: RMSE     ACC" : "") << "\n";
    for (const Row& row : rows_) {
      std::snprintf(line, sizeof line, "  %6s %8.2e %10.4g %10.3g %7.4f", duration_text(row.lead).c_str(),
                    row.scores.max_difference / row.scores.deviation, row.scores.rmse, row.scores.bias,
                    row.scores.correlation);
      out << name(row.field) << line;
      if (row.persistence) {
        std::snprintf(line, sizeof line, "  %17.4g %7.4f", row.persistence->rmse, row.persistence->correlation);
        out << line;
      }
      out << "\n";
    }
    constexpr std::size_t most = 10;
    for (std::size_t i = 0; i < std::min(most, faults_.size()); ++i) out << faults_[i] << "\n";
    if (faults_.size() > most) out << "and " << faults_.size() - most << " faults more\n";
    std::snprintf(line, sizeof line,
                  "%zu messages, %zu compared, largest difference %.2e of the field's standard deviation",
                  got_.messages().size(), rows_.size(), worst_);
    out << line;
    if (!options_.scores_only) out << ", " << faults_.size() << " faults";
    out << "\n";
  }

  const CompareOptions& options_;
  MessageFile got_, wanted_;
  std::optional<MessageFile> persistence_;
  Climatology climatology_;
  std::map<std::string, std::unique_ptr<Grid>> grids_;
  std::vector<Pair> pairs_;
  std::vector<Row> rows_;
  std::vector<std::string> faults_;
  double worst_ = 0;
};

}  // namespace

int run_compare(const CompareOptions& options, std::ostream& out) { return Comparison(options).run(out); }

}  // namespace tradewind::compare
