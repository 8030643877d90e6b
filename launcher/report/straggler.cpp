#include "launcher/report/straggler.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

namespace tradewind::launcher {
namespace {

constexpr double least_ratio = 1.5, least_seconds = 1, least_wait = 0.5;

struct Work {
  double computing = 0, waiting = 0;
};

std::optional<Work> work_of(const RankResult& rank) {
  const auto seconds = rank.figures.find("seconds");
  if (seconds == rank.figures.end() || !seconds->is_object()) return std::nullopt;
  const auto value = [&](const char* name) {
    const auto found = seconds->find(name);
    return found != seconds->end() && found->is_number() ? found->get<double>() : -1.0;
  };
  const Work work{.computing = value("computing"), .waiting = value("waiting")};
  if (work.computing < 0 || work.waiting < 0) return std::nullopt;
  return work;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::optional<Straggler> straggler_of(const Outcome& outcome) {
  if (outcome.status != "done" || outcome.steps == 0 || outcome.ranks.size() < 2) return std::nullopt;
  std::vector<Work> works;
  for (const RankResult& rank : outcome.ranks) {
    const auto work = work_of(rank);
    if (!work) return std::nullopt;
    works.push_back(*work);
  }
  const auto slowest = std::max_element(works.begin(), works.end(),
                                        [](const Work& a, const Work& b) { return a.computing < b.computing; });
  std::vector<double> others;
  double least_waited = std::numeric_limits<double>::max();
  for (auto work = works.begin(); work != works.end(); ++work) {
    if (work == slowest) continue;
    others.push_back(work->computing);
    least_waited = std::min(least_waited, work->waiting - slowest->waiting);
  }
  const double usual = median(others), cost = slowest->computing - usual;
  if (slowest->computing < least_ratio * usual || cost < least_seconds || least_waited < least_wait * cost)
    return std::nullopt;
  const int rank = static_cast<int>(slowest - works.begin());
  return Straggler{.rank = rank,
                   .host = outcome.ranks[static_cast<std::size_t>(rank)].host,
                   .seconds_per_step = slowest->computing / outcome.steps,
                   .others_seconds_per_step = usual / outcome.steps,
                   .cost_per_step = cost / outcome.steps};
}

std::string text_of(const Straggler& straggler) {
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "computes %.3g s a step, the others %.3g s: it costs the run %.3g s a step",
                straggler.seconds_per_step, straggler.others_seconds_per_step, straggler.cost_per_step);
  return "slow rank: rank " + std::to_string(straggler.rank) + (straggler.host.empty() ? "" : " on " + straggler.host) +
         " " + numbers;
}

proto::Json to_json(const Straggler& straggler) {
  return {{"rank", straggler.rank},
          {"host", straggler.host},
          {"seconds_per_step", straggler.seconds_per_step},
          {"others_seconds_per_step", straggler.others_seconds_per_step},
          {"cost_per_step", straggler.cost_per_step}};
}

}  // namespace tradewind::launcher
