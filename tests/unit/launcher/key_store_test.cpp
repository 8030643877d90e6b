// The store of a run: the controller's keys, and what agents keep of them.
#include "launcher/control/key_store.h"

#include <doctest/doctest.h>

#include <deque>

#include "launcher/agent/store_relay.h"

using namespace tradewind;
using namespace tradewind::launcher;
using Work = proto::StoreRequest::Work;
using Values = std::vector<std::string>;

namespace {

// A controller and its agents with what is on the way between them, in order for each agent.
class Net {
 public:
  explicit Net(int agents) : agents_(static_cast<std::size_t>(agents)) {}

  // A rank's request; rank 10 * agent + any.
  std::int64_t ask(int rank, proto::StoreRequest request) {
    request.id = ++next_;
    take(rank / 10, agents_[static_cast<std::size_t>(rank / 10)].asked(rank, request));
    return request.id;
  }
  // Everything on the way arrives.
  void settle() {
    while (!up_.empty() || !down_.empty()) {
      if (!up_.empty()) {
        step_up();
      } else {
        step_down();
      }
    }
  }
  void step_up() {
    const auto [agent, message] = std::move(up_.front());
    up_.pop_front();
    ++messages_up;
    if (const auto* ask = std::get_if<proto::Ask>(&message)) order(store_.asked(agent, ask->request));
    if (const auto* want = std::get_if<proto::Want>(&message)) {
      for (const auto& key : want->keys) ++wants[key];
      order(store_.wanted(agent, want->keys));
    }
    if (std::holds_alternative<proto::Got>(message)) order(store_.got(agent));
    if (const auto* forgot = std::get_if<proto::Forgot>(&message)) order(store_.forgot(agent, forgot->key));
  }
  void step_down() {
    const Order order = std::move(down_.front());
    down_.pop_front();
    StoreRelay& agent = agents_[static_cast<std::size_t>(order.agent)];
    if (const auto* answer = std::get_if<proto::Answer>(&order.message)) take(order.agent, agent.heard(*answer));
    if (const auto* values = std::get_if<proto::Values>(&order.message)) take(order.agent, agent.heard(*values));
    if (const auto* forget = std::get_if<proto::Forget>(&order.message)) take(order.agent, agent.heard(*forget));
  }
  void order(Orders orders) {
    for (Order& one : orders) down_.push_back(std::move(one));
  }
  const proto::StoreAnswer* answered(std::int64_t id) const {
    const auto found = answers_.find(id);
    return found == answers_.end() ? nullptr : &found->second;
  }
  proto::StoreAnswer now(int rank, proto::StoreRequest request) {
    const std::int64_t id = ask(rank, std::move(request));
    settle();
    REQUIRE(answered(id) != nullptr);
    return *answered(id);
  }

  KeyStore store_;
  std::map<std::string, int> wants;
  int messages_up = 0;

 private:
  void take(int agent, StoreRelay::Told told) {
    for (auto& message : told.controller) up_.emplace_back(agent, std::move(message));
    for (auto& [rank, answer] : told.ranks) {
      CHECK(rank / 10 == agent);
      auto& known = answers_[answer.id];
      Values values = std::move(known.values);
      values.insert(values.end(), answer.values.begin(), answer.values.end());
      known = answer;
      known.values = std::move(values);
    }
  }
  std::vector<StoreRelay> agents_;
  std::deque<std::pair<int, proto::ControlMessage>> up_;
  std::deque<Order> down_;
  std::map<std::int64_t, proto::StoreAnswer> answers_;
  std::int64_t next_ = 0;
};

}  // namespace

TEST_CASE("what TCPStore would answer") {
  Net net(2);
  CHECK(net.now(0, {.work = Work::count}).number == 0);
  CHECK(net.now(0, {.work = Work::check, .keys = {"a"}}).number == 0);
  net.now(0, {.work = Work::set, .keys = {"a"}, .value = std::string("\0\xff", 2)});
  CHECK(net.now(10, {.work = Work::get, .keys = {"a"}}).values == Values{std::string("\0\xff", 2)});
  CHECK(net.now(10, {.work = Work::check, .keys = {"a"}}).number == 1);
  CHECK(net.now(10, {.work = Work::check, .keys = {"a", "b"}}).number == 0);
  CHECK(net.now(0, {.work = Work::add, .keys = {"n"}, .amount = 2}).number == 2);
  CHECK(net.now(10, {.work = Work::add, .keys = {"n"}, .amount = -5}).number == -3);
  CHECK(net.now(0, {.work = Work::get, .keys = {"n"}}).values == Values{"-3"});
  CHECK_FALSE(net.now(0, {.work = Work::add, .keys = {"a"}, .amount = 1}).error.empty());
  CHECK_FALSE(
      net.now(0, {.work = Work::add, .keys = {"n"}, .amount = std::numeric_limits<std::int64_t>::min()}).error.empty());
  CHECK(net.now(0, {.work = Work::compare_set, .keys = {"c"}, .value = "1", .expected = "0"}).values == Values{"0"});
  CHECK(net.now(0, {.work = Work::check, .keys = {"c"}}).number == 0);
  CHECK(net.now(0, {.work = Work::compare_set, .keys = {"c"}, .value = "1"}).values == Values{"1"});
  CHECK(net.now(10, {.work = Work::compare_set, .keys = {"c"}, .value = "2"}).values == Values{"1"});
  CHECK(net.now(10, {.work = Work::compare_set, .keys = {"c"}, .value = "2", .expected = "1"}).values == Values{"2"});
  CHECK(net.now(0, {.work = Work::count}).number == 3);
  CHECK(net.now(0, {.work = Work::remove, .keys = {"c"}}).number == 1);
  CHECK(net.now(0, {.work = Work::remove, .keys = {"c"}}).number == 0);
  CHECK(net.now(10, {.work = Work::check, .keys = {"c"}}).number == 0);
  CHECK(net.now(0, {.work = Work::count}).number == 2);
}

TEST_CASE("who waits is answered when all keys are there") {
  Net net(2);
  const auto waits = net.ask(0, {.work = Work::wait, .keys = {"a", "b"}});
  const auto gets = net.ask(1, {.work = Work::get, .keys = {"b", "a", "b"}});
  net.settle();
  net.now(10, {.work = Work::set, .keys = {"b"}, .value = "2"});
  CHECK(net.answered(waits) == nullptr);
  net.now(1, {.work = Work::set, .keys = {"a"}, .value = "1"});
  REQUIRE(net.answered(waits) != nullptr);
  CHECK(net.answered(waits)->values.empty());
  REQUIRE(net.answered(gets) != nullptr);
  CHECK(net.answered(gets)->values == Values{"2", "1", "2"});
}

TEST_CASE("an agent asks once for each key, whatever its number of ranks") {
  constexpr int agents = 4, ranks = 8;
  Net net(agents);
  std::vector<std::string> keys;
  for (int agent = 0; agent < agents; ++agent)
    for (int rank = 0; rank < ranks; ++rank) keys.push_back(std::to_string(10 * agent + rank));
  for (const std::string& key : keys) net.ask(std::stoi(key), {.work = Work::set, .keys = {key}, .value = "of " + key});
  std::vector<std::int64_t> asked;
  for (const std::string& key : keys)
    for (const std::string& other : keys)
      asked.push_back(net.ask(std::stoi(key), {.work = Work::get, .keys = {other}}));
  net.settle();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    REQUIRE(net.answered(asked[i]) != nullptr);
    CHECK(net.answered(asked[i])->values == Values{"of " + keys[i % keys.size()]});
  }
  for (const std::string& key : keys) CHECK(net.wants[key] == agents);
  // Each rank's value, each agent's wish for each key, and at most as many times that a batch has come.
  CHECK(net.messages_up <= 32 + 2 * agents * 32);
}

TEST_CASE("who replaces a value is answered when nobody finds the old one any more") {
  Net net(3);
  net.now(0, {.work = Work::set, .keys = {"k"}, .value = "old"});
  for (const int rank : {0, 10, 20}) CHECK(net.now(rank, {.work = Work::get, .keys = {"k"}}).values == Values{"old"});
  const auto set = net.ask(10, {.work = Work::set, .keys = {"k"}, .value = "new"});
  net.step_up();
  CHECK(net.answered(set) == nullptr);
  net.step_down();  // the first agent forgets, the others have not heard yet
  net.step_up();
  CHECK(net.answered(set) == nullptr);
  net.settle();
  REQUIRE(net.answered(set) != nullptr);
  for (const int rank : {0, 10, 20}) CHECK(net.now(rank, {.work = Work::get, .keys = {"k"}}).values == Values{"new"});
}

TEST_CASE("a value that is replaced on its way to an agent does not stay there") {
  Net net(2);
  net.now(0, {.work = Work::set, .keys = {"k"}, .value = "old"});
  const auto get = net.ask(10, {.work = Work::get, .keys = {"k"}});
  net.step_up();  // the old value is on its way
  const auto set = net.ask(10, {.work = Work::set, .keys = {"k"}, .value = "new"});
  net.step_up();
  net.settle();
  CHECK(net.answered(get)->values == Values{"old"});
  CHECK(net.answered(set) != nullptr);
  CHECK(net.now(10, {.work = Work::get, .keys = {"k"}}).values == Values{"new"});
}

TEST_CASE("a rank that waits for several keys of which one is replaced meanwhile gets the new one") {
  Net net(2);
  net.now(0, {.work = Work::set, .keys = {"a"}, .value = "old"});
  const auto get = net.ask(10, {.work = Work::get, .keys = {"a", "b"}});
  net.settle();
  net.now(0, {.work = Work::set, .keys = {"a"}, .value = "new"});
  net.now(0, {.work = Work::set, .keys = {"b"}, .value = "there"});
  REQUIRE(net.answered(get) != nullptr);
  CHECK(net.answered(get)->values == Values{"new", "there"});
}

TEST_CASE("an agent that is lost holds nobody up") {
  Net net(2);
  net.now(0, {.work = Work::set, .keys = {"k"}, .value = "old"});
  net.now(10, {.work = Work::get, .keys = {"k"}});
  const auto set = net.ask(0, {.work = Work::set, .keys = {"k"}, .value = "new"});
  net.step_up();
  CHECK(net.answered(set) == nullptr);
  net.order(net.store_.left(1));
  net.step_down();  // what had been sent to it
  net.settle();
  CHECK(net.answered(set) != nullptr);
}

TEST_CASE("large values come in parts, and one batch at a time") {
  Net net(2);
  Values keys, values;
  for (int i = 0; i < 9; ++i) {
    keys.push_back(std::to_string(i));
    values.emplace_back(100'000, static_cast<char>('a' + i));
    net.now(0, {.work = Work::set, .keys = {keys.back()}, .value = values.back()});
  }
  net.messages_up = 0;
  const auto answer = net.now(10, {.work = Work::get, .keys = keys});
  CHECK(answer.values == values);
  CHECK_FALSE(answer.more);
  CHECK(net.messages_up == 1 + 5);  // the wish, and five batches of two or one
}
