// Launchers that show the job's token and then never read what the controller tells them: the run goes on, and what is
// kept for them is bounded.
#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "launcher/launch/meeting_place.h"
#include "launcher/wire/server.h"
#include "tests/unit/launcher/stranger.h"
#include "tests/unit/launcher/waiting_run.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

const std::string token(64, 'a');
constexpr int tiny_buffer = 4096;
constexpr std::int64_t mebibyte = 1 << 20;

proto::Join join_of(int rank) { return {.host = "elsewhere", .pid = 1, .world_size = 2, .ranks = {rank}}; }

}  // namespace

TEST_CASE("an agent that never reads is given up when 4 MiB wait for it; the others hear on") {
  boost::asio::io_context context;
  std::map<int, int> agent_of_rank;
  std::vector<std::string> lost;
  Server server(
      context, token, listen_on("127.0.0.1", 0),
      {.joined = [&](int agent, const proto::Join& join, const Route&) { agent_of_rank[join.ranks[0]] = agent; },
       .heard = [](int, const proto::ControlMessage&) {},
       .lost =
           [&](int agent, const std::string& how) {
             CHECK(agent == agent_of_rank.at(0));
             lost.push_back(how);
           }});
  std::optional<Speaker> slow, good;
  std::thread agents([&] {
    slow.emplace(server.port(), token, tiny_buffer).tell(join_of(0));
    good.emplace(server.port(), token).tell(join_of(1));
  });
  while (agent_of_rank.size() < 2) context.run_one();
  agents.join();
  const std::int64_t before = resident_bytes();
  const proto::Watch order{.rank = 0, .body = {{"text", std::string(60000, 'x')}}};
  std::int64_t most = 0, sent = 0;
  for (; sent < 1000 * mebibyte && lost.empty(); sent += 60000) {
    server.send(agent_of_rank.at(0), order);
    context.poll();
    most = std::max(most, resident_bytes() - before);
  }
  CHECK(lost == std::vector<std::string>{"it does not read what it is told"});
  CHECK(most < 32 * mebibyte);
  server.send(agent_of_rank.at(0), order);  // to nobody
  server.send(agent_of_rank.at(1), proto::Leave{.exit_code = 7});
  std::optional<proto::ControlMessage> message;
  std::thread reader([&] { message = good->hear(); });
  while (!server.drained()) context.run_one();
  context.poll();
  reader.join();
  REQUIRE(message);
  REQUIRE(std::holds_alternative<proto::Leave>(*message));
  CHECK(std::get<proto::Leave>(*message).exit_code == 7);
}

TEST_CASE("a run whose second launcher never reads goes on to its end, however much that one says") {
  WaitingRun run(2, Seats{.ranks = {0}, .local_ranks = {0}}, token);
  const std::int64_t before = resident_bytes();
  std::atomic<std::int64_t> most{0};
  constexpr int lines = 100'000;
  constexpr std::size_t line_bytes = 1000;
  // Kept open until the run is over: what the controller sends piles up in it.
  std::optional<Speaker> speaker;
  std::thread slow([&] {
    speaker.emplace(run.port(), token, tiny_buffer);
    const auto tell = [&](const proto::ControlMessage& message) { speaker->tell(message); };
    tell(join_of(1));
    tell(proto::Said{.rank = 1, .message = proto::Hello{.pid = 1}});
    tell(proto::Said{.rank = 1, .message = proto::Ready{"cpu"}});
    for (int i = 0; i < lines; ++i) {
      tell(proto::Wrote{.rank = 1, .line = std::string(line_bytes, 'y')});
      if (i % 1000 == 0) tell(proto::Alive{});
      most = std::max<std::int64_t>(most, resident_bytes() - before);
    }
    tell(proto::Said{.rank = 1, .message = proto::Finished{}});
    tell(proto::Ended{.rank = 1});
    run.let_go();
  });
  const Outcome outcome = run.outcome();
  slow.join();
  CHECK(outcome.status == "done");
  CHECK(outcome.exit_code == 0);
  CHECK(run.seen.bytes >= lines * line_bytes);
  CHECK(most < 64 * mebibyte);
  CHECK(run.mark.processes() == 0);
}
