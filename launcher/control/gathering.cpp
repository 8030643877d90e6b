#include "launcher/control/gathering.h"

#include <algorithm>
#include <set>

namespace tradewind::launcher {
namespace {

constexpr const char* loopback = "127.0.0.1";
constexpr std::size_t most_named = 16;

bool is_loopback(const std::string& address) {
  return address.empty() || address.starts_with("127.") || address == "::1";
}

// The first few of a list of names.
template <typename Names>
std::string listed(const Names& names) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (count++ == most_named) return text + " and " + std::to_string(names.size() - most_named) + " more";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

}  // namespace

std::optional<proto::Refused> Gathering::came(int agent, const proto::Join& join, const Route& route, TimePoint now) {
  const auto refuse = [&](std::string what, std::string remedy) {
    turned_away_ = join.host + " (" + what + ")";
    return proto::Refused{.what = std::move(what), .where = join.host, .remedy = std::move(remedy)};
  };
  if (join.version != proto::control_version)
    return refuse("this launcher speaks version " + std::to_string(join.version) +
                      " of the control protocol, rank 0's " + std::to_string(proto::control_version),
                  "use the same build of tradewind on every host");
  if (join.world_size != world_size_)
    return refuse("this launcher takes part in a run of " + std::to_string(join.world_size) +
                      " ranks, rank 0's in one of " + std::to_string(world_size_),
                  "start all ranks with one command");
  if (join.ranks.empty()) return refuse("this launcher has no rank", "start all ranks with one command");
  for (const int rank : join.ranks) {
    if (rank < 0 || rank >= world_size_)
      return refuse("rank " + std::to_string(rank) + " of " + std::to_string(world_size_),
                    "start all ranks with one command");
    if (const Agent* other = agent_of(rank))
      return refuse("rank " + std::to_string(rank) + " came twice, the first time from " + other->join.host +
                        " (process " + std::to_string(other->join.pid) + ")",
                    "two runs meet: give each its own --run-dir, or MASTER_PORT");
  }
  if (deadline_ == TimePoint::max()) deadline_ = now + wait_;
  agents_[agent] = {join, route};
  return std::nullopt;
}

int Gathering::ranks_here() const {
  int count = 0;
  for (const auto& [id, agent] : agents_) count += static_cast<int>(agent.join.ranks.size());
  return count;
}

const Gathering::Agent* Gathering::agent_of(int rank) const {
  for (const auto& [id, agent] : agents_)
    if (std::find(agent.join.ranks.begin(), agent.join.ranks.end(), rank) != agent.join.ranks.end()) return &agent;
  return nullptr;
}

proto::Refused Gathering::missing(const std::string& why) const {
  std::set<std::string> here, absent;
  std::vector<std::string> ranks;
  for (const auto& [id, agent] : agents_) here.insert(agent.join.host);
  for (const std::string& host : expected_)
    if (!here.contains(host)) absent.insert(host);
  for (int rank = 0; rank < world_size_; ++rank)
    if (agent_of(rank) == nullptr) ranks.push_back(std::to_string(rank));
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(wait_).count();
  std::string what = std::to_string(ranks_here()) + " of " + std::to_string(world_size_) + " ranks came";
  what += why.empty() ? " within " + std::to_string(waited) + " s" : " (" + why + ")";
  what += "; missing: " + listed(ranks);
  if (!here.empty()) what += "; came from: " + listed(here);
  if (!absent.empty()) what += "; nothing from: " + listed(absent);
  if (!turned_away_.empty()) what += "; turned away: " + turned_away_;
  return {.what = what,
          .remedy =
              "see that tradewind starts on those hosts and can reach this one; ranks that something else starts "
              "must share the run folder (--run-dir) with it, or need TRADEWIND_CONTROL and TRADEWIND_TOKEN",
          .exit_code = static_cast<int>(ExitCode::ranks_missing)};
}

std::vector<std::string> Gathering::hosts() const {
  std::vector<std::string> hosts(static_cast<std::size_t>(world_size_));
  for (const auto& [id, agent] : agents_)
    for (const int rank : agent.join.ranks) hosts[static_cast<std::size_t>(rank)] = agent.join.host;
  return hosts;
}

std::map<int, std::vector<int>> Gathering::ranks() const {
  std::map<int, std::vector<int>> ranks;
  for (const auto& [id, agent] : agents_) ranks[id] = agent.join.ranks;
  return ranks;
}

int Gathering::master_port() const {
  const Agent* first = agent_of(0);
  return first != nullptr ? first->join.master_port : 0;
}

std::string Gathering::master_address() const {
  const Agent* first = agent_of(0);
  if (first == nullptr) return loopback;
  if (!first->join.master_address.empty()) return first->join.master_address;
  const auto elsewhere = [&](const auto& entry) { return entry.second.join.host != first->join.host; };
  if (std::none_of(agents_.begin(), agents_.end(), elsewhere)) return loopback;
  if (!is_loopback(first->route.from)) return first->route.from;
  // Rank 0 is on this host: the others know an address of it already.
  for (const auto& [id, agent] : agents_)
    if (!is_loopback(agent.route.to)) return agent.route.to;
  return loopback;
}

}  // namespace tradewind::launcher
