#include "worker/compare/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/errors.h"
#include "worker/compare/known_grids.h"
#include "worker/compare/matching.h"
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
    match_messages();
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

  void match_messages() {
    Matches matches = match(got_.messages(), wanted_.messages());
    pairs_ = std::move(matches.pairs);
    for (const MessageKeys* message : matches.missing) fault("missing: " + message->label);
    if (options_.scores_only) return;
    for (const MessageKeys* message : matches.extra) fault("extra: " + message->label);
    const auto out_of_order = std::is_sorted_until(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
      return a.got->extent.offset < b.got->extent.offset;
    });
    if (out_of_order != pairs_.end()) fault("order: " + out_of_order->wanted->label + " comes too early");
    for (const Pair& pair : pairs_)
      if (const std::string keys = differing_keys(*pair.got, *pair.wanted); !keys.empty())
        fault("keys of " + pair.wanted->label + ":" + keys);
  }

  void score_pair(const Pair& pair) {
    // Before anything of that size is decoded.
    if (pair.got->points != pair.wanted->points) {
      faults_.push_back(pair.wanted->label + ": number of points differs: " + std::to_string(pair.got->points) +
                        " (want " + std::to_string(pair.wanted->points) + ")");
      return;
    }
    const grib::Handle wanted = wanted_.open(*pair.wanted), got = got_.open(*pair.got);
    const KnownGrid& known = grids_.of(wanted, *pair.wanted);
    if (const std::string differs = grids_.difference(got, *pair.got, wanted, *pair.wanted); !differs.empty()) {
      faults_.push_back(pair.wanted->label + ": " + differs);
      return;
    }
    const std::vector<double> a = got.values_double(), b = wanted.values_double();
    const Grid& grid = known.grid;
    if (a.size() != b.size() || b.size() != grid.weights.size() ||
        !std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return std::isnan(x) == std::isnan(y); })) {
      faults_.push_back(pair.wanted->label + ": number of points or missing values differ");
      return;
    }
    if (!known.points) ++without_areas_;
    // Parallels of one or two points (unstructured grids) have no mean of their own.
    const bool zonal = climatology_ == Climatology::zonal_mean && known.points && grid.parallels * 4 <= b.size();
    const std::vector<double> climatology =
        climatology_of(b, grid, zonal ? Climatology::zonal_mean : Climatology::mean);
    Row row{pair.wanted->field, pair.wanted->lead, score(a, b, grid, climatology), {}};
    if (persistence_) row.persistence = score(persistence_of(wanted, *pair.wanted), b, grid, climatology);
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

  std::vector<double> persistence_of(const grib::Handle& message, const MessageKeys& wanted) {
    const auto& messages = persistence_->messages();
    const auto found = std::find_if(messages.begin(), messages.end(), [&](const MessageKeys& message) {
      return message.field == wanted.field && message.valid == wanted.base;
    });
    if (found == messages.end())
      throw UserError("no field " + wanted.field + " valid at " + iso_date(wanted.base), persistence_->path(),
                      "give the file the forecast started from");
    if (found->points != wanted.points)
      throw UserError("field " + wanted.field + " has another number of points", persistence_->path());
    const grib::Handle start = persistence_->open(*found);
    if (const std::string differs = grids_.difference(start, *found, message, wanted); !differs.empty())
      throw UserError("field " + wanted.field + ": " + differs, persistence_->path());
    return start.values_double();
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
                 {"without_areas", without_areas_},
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
    if (without_areas_ > 0)
      out << "no areas: " << without_areas_
          << " fields whose messages do not hold the coordinates of their points are scored with equal weights\n";
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
  KnownGrids grids_;
  std::vector<Pair> pairs_;
  std::vector<Row> rows_;
  std::vector<std::string> faults_;
  std::size_t without_areas_ = 0;
  double worst_ = 0;
};

}  // namespace

int run_compare(const CompareOptions& options, std::ostream& out) { return Comparison(options).run(out); }

}  // namespace tradewind::compare
