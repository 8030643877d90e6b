// Programs that are not ours: what they are started with, and what their agent says for them.
#include "launcher/programs/program.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <memory>
#include <set>

#include "common/errors.h"
#include "launcher/agent/program_speech.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/launch/reserved_port.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

std::string refusal(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    return error.message();
  }
  return "none";
}

// Binds and listens as a program would, with SO_REUSEADDR or without.
bool can_listen(int port, bool reuse) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (reuse) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<std::uint16_t>(port));
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 &&
         ::listen(socket.get(), 1) == 0;
}

RankPlan plan_of(int rank, int local_rank) {
  RankPlan plan;
  plan.start.rank = rank;
  plan.start.local_rank = local_rank;
  plan.spawn.environment = {{"PATH", "/usr/bin:/bin"}, {"OMP_WAIT_POLICY", "passive"}, {"TRADEWIND_TOKEN", "x"}};
  return plan;
}

}  // namespace

TEST_CASE("a rank finds the rendezvous as under torchrun") {
  const proto::Launch launch{
      .world_size = 4, .master_address = "10.0.0.1", .master_port = 4321, .hosts = {"a", "a", "b", "b"}};
  RankPlan plan = plan_of(3, 1);
  turn_into(plan, {.words = {"sh", "-c", "true"}}, launch, 0, Environment());
  const auto& variables = plan.spawn.environment;
  CHECK(variables.at("RANK") == "3");
  CHECK(variables.at("LOCAL_RANK") == "1");
  CHECK(variables.at("WORLD_SIZE") == "4");
  CHECK(variables.at("LOCAL_WORLD_SIZE") == "2");
  CHECK(variables.at("MASTER_ADDR") == "10.0.0.1");
  CHECK(variables.at("MASTER_PORT") == "4321");
  CHECK(variables.at("TRADEWIND_PHASE_FD") == "3");
  CHECK_FALSE(variables.contains("OMP_WAIT_POLICY"));
  CHECK_FALSE(variables.contains("TRADEWIND_TOKEN"));
  CHECK_FALSE(variables.contains("CUDA_VISIBLE_DEVICES"));
  CHECK(plan.spawn.executable == "/usr/bin/sh");
  CHECK(plan.spawn.arguments == std::vector<std::string>{"-c", "true"});
  CHECK(plan.spawn.death_signal == SIGKILL);

  // What the user says about waiting stays; inside torchrun its store does.
  RankPlan inside = plan_of(0, 0);
  inside.spawn.environment["MASTER_PORT"] = "99";
  turn_into(inside, {.words = {"sh"}}, launch, 2,
            Environment({{"OMP_WAIT_POLICY", "passive"},
                         {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                         {"MASTER_ADDR", "h"},
                         {"MASTER_PORT", "99"}}));
  CHECK(inside.spawn.environment.at("OMP_WAIT_POLICY") == "passive");
  CHECK(inside.spawn.environment.at("MASTER_PORT") == "99");
}

TEST_CASE("a rank without a port to meet at is an error") {
  RankPlan plan = plan_of(0, 0);
  CHECK(refusal([&] { turn_into(plan, {.words = {"sh"}}, {.world_size = 2}, 2, Environment()); }) ==
        "no port could be kept for the ranks to meet");
}

TEST_CASE("a GPU of its own, by the local rank") {
  CHECK(gpu_of(2, std::nullopt) == "2");
  CHECK(gpu_of(0, "3,5") == "3");
  CHECK(gpu_of(3, "5") == "5");
  CHECK(gpu_of(1, "GPU-a,GPU-b,GPU-c") == "GPU-b");
  CHECK(refusal([] { gpu_of(2, "3,5"); }) == "there is no GPU for local rank 2");
}

TEST_CASE("programs are found as a shell finds them") {
  CHECK(find_program("/bin/sh", "") == "/bin/sh");
  CHECK(find_program("sh", "/nowhere:/bin") == "/bin/sh");
  CHECK(refusal([] { find_program("no-such-program", "/bin"); }) == "there is no program no-such-program on PATH");
  CHECK(refusal([] { find_program("/bin", "/bin"); }).starts_with("the program cannot be started"));
  CHECK(refusal([] { find_program("/bin/none", "/bin"); }) ==
        "the program cannot be started: No such file or directory");
  CHECK(refusal([] { find_program("/etc/passwd", ""); }) == "the program cannot be started: Permission denied");
  CHECK(refusal([] { find_program("", "/bin"); }) == "the program's name is empty");
}

TEST_CASE("a rank has all CPUs that the launcher has, unless it is to have its own") {
  for (const bool own : {false, true}) {
    RankPlan plan = plan_of(0, 0);
    plan.spawn.cpus = {2, 3};
    turn_into(plan, {.words = {"sh"}, .own_cpus = own}, {.world_size = 1, .master_port = 4321}, 1, Environment());
    CHECK(plan.spawn.cpus == (own ? std::vector<int>{2, 3} : std::vector<int>{}));
  }
}

TEST_CASE("what is passed on is what was given") {
  const Program program{.words = {"a", "b c"}, .python = false, .own_cpus = true, .own_gpu = true};
  const Program same = program_of(to_json(program));
  CHECK(same.words == program.words);
  CHECK_FALSE(same.python);
  CHECK(same.own_cpus);
  CHECK(same.own_gpu);
  CHECK_THROWS_AS(program_of({{"program", 3}}), proto::ProtocolError);
  CHECK_THROWS_AS(
      program_of({{"program", proto::Json::array()}, {"python", true}, {"own_cpus", false}, {"own_gpu", false}}),
      proto::ProtocolError);
}

TEST_CASE("a kept port is nobody else's, and the program's all the same") {
  std::vector<Descriptor> kept;
  std::set<int> ports;
  for (int i = 0; i < 200; ++i) {
    kept.push_back(reserve_port(0));
    ports.insert(port_of(kept.back()));
  }
  CHECK(ports.size() == 200);
  const int port = *ports.begin();
  CHECK_FALSE(can_listen(port, false));
  CHECK(can_listen(port, true));
  CHECK(refusal([&] {
          const Descriptor listener = listen_on("127.0.0.1", 0);
          reserve_port(port_of(listener));
        }) == "the port is taken on this host, where the ranks are to meet");
}

TEST_CASE("lines that say where a program is") {
  CHECK(phase_line("train 3/40 epoch one") == PhaseLine{"train", "epoch one", 3, 40});
  CHECK(phase_line("train 3") == PhaseLine{"train", "", 3, 0});
  CHECK(phase_line("  write\t/data/out.nc \r") == PhaseLine{"write", "/data/out.nc", 0, 0});
  CHECK(phase_line("x 3/a") == PhaseLine{"x", "3/a", 0, 0});
  CHECK(phase_line("x -1") == PhaseLine{"x", "-1", 0, 0});
  CHECK_FALSE(phase_line(" \t"));
  CHECK(phase_line("\x1b[2J")->phase == "\\x1b[2J");
  CHECK(phase_line("a-phase-with-a-long-name")->phase.size() == 15);
}

namespace {

struct Heard {
  explicit Heard(ProgramSpeech& speech) {
    speech.connect({.said = [this](proto::Message message) { said.push_back(std::move(message)); },
                    .written = [](const std::string&) {},
                    .signalled = [this](int number) { signals.push_back(number); }});
  }
  std::vector<proto::Message> said;
  std::vector<int> signals;
};

}  // namespace

TEST_CASE("the agent speaks for a program that does not") {
  const auto page = std::make_unique<proto::TelemetryPage>();
  ProgramSpeech speech(*page, "/r/logs/rank-0.log");
  Heard heard(speech);
  speech.began(7);
  REQUIRE(heard.said.size() == 1);
  CHECK(std::get<proto::Hello>(heard.said[0]).pid == 7);
  CHECK(page->magic == proto::telemetry_magic);
  speech.heard("train 1/2\ntra");
  speech.heard("in 2/2 x\n");
  REQUIRE(heard.said.size() == 2);
  CHECK(std::get<proto::Phase>(heard.said[1]).name == "train");
  CHECK(page->tick == 2);
  proto::PlaceRecord place{};
  REQUIRE(page->place.load(place));
  CHECK(place.step == 2);
  CHECK(std::string(place.layer.data()) == "x");
  speech.left({.code = 0, .peak_rss_bytes = 5});
  CHECK(std::get<proto::Finished>(heard.said.back()).peak_rss_bytes == 5);
}

TEST_CASE("how a program ended is told as what it is") {
  const auto page = std::make_unique<proto::TelemetryPage>();
  const auto ending = [&](const std::string& line, Exit exit, bool stopped) {
    ProgramSpeech speech(*page, "/log");
    Heard heard(speech);
    if (stopped) speech.stop();
    if (stopped) CHECK(heard.signals == std::vector<int>{SIGTERM});
    speech.wrote(proto::Stream::error, line);
    speech.left(exit);
    return heard.said;
  };
  const auto own = std::get<proto::Failure>(ending("ValueError: x", {.code = 3}, false).at(0));
  CHECK(own.kind == proto::FailureKind::environment);
  CHECK(own.exit_code == 3);
  CHECK(own.what == "the program left with exit code 3");
  CHECK(own.remedy == "its own lines say why: /log");
  const auto lost = ending("RuntimeError: [pair.cc:538] Connection closed by peer [127.0.0.1]:1", {.code = 1}, false);
  CHECK(std::get<proto::Failure>(lost.at(0)).kind == proto::FailureKind::connection);
  const auto mismatch =
      ending("op.preamble.length <= op.nbytes. 8 vs 4. Received data size doesn't match expected size. Is there",
             {.signal = SIGABRT}, false);
  CHECK(std::get<proto::Failure>(mismatch.at(0)).exit_code == 134);
  CHECK(ending("", {.signal = SIGKILL}, false).empty());
  for (const int code : {0, 1})
    CHECK(std::get<proto::Failure>(ending("", {.code = code}, true).at(0)).kind == proto::FailureKind::stopped);
}
