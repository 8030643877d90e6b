// MASTER_ADDR, MASTER_PORT and interfaces that are wrong: each ends with its exact cause within 5 s, before a rank has
// waited for another. What needs an interface of its own is in interfaces.sh.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Variables = std::map<std::string, std::string>;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";
constexpr std::chrono::seconds at_most(5);

// A port of 127.0.0.1 at which somebody listens.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    text = std::to_string(ntohs(address.sin_port));
  }
  ~TakenPort() { ::close(socket_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  std::string text;

 private:
  int socket_;
};

struct Timed {
  Result result;
  std::chrono::steady_clock::duration time;
};

Timed launch(const Folder& folder, Variables variables, std::vector<std::string> more = {}) {
  std::vector<std::string> command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "runner=parallel", "--run-dir", "d"};
  command.insert(command.end(), more.begin(), more.end());
  variables["TRADEWIND_TEST_MARK"] = folder.path;
  variables.emplace("OMP_NUM_THREADS", "1");
  const auto start = std::chrono::steady_clock::now();
  Result result = run({.command = std::move(command), .folder = folder.path, .environment = std::move(variables)});
  return {std::move(result), std::chrono::steady_clock::now() - start};
}

// One process that is to start two ranks.
void check_alone(const Variables& variables, const std::vector<std::string>& options, int code,
                 const std::string& what) {
  CAPTURE(what);
  const Folder folder(example);
  std::vector<std::string> words = {"world_size=2"};
  words.insert(words.end(), options.begin(), options.end());
  const Timed run = launch(folder, variables, words);
  CHECK(run.result.code == code);
  CHECK_MESSAGE(run.result.error.find(what) != std::string::npos, run.result.error);
  CHECK(run.time < at_most);
  CHECK(processes_marked(folder.path) == 0);
}

// Two processes that something else has started, as mpirun does.
void check_members(const Variables& variables, int code, const std::string& what) {
  CAPTURE(what);
  const Folder folder(example);
  const auto as_rank = [&](const std::string& rank) {
    Variables own = variables;
    own.merge(Variables{{"OMPI_COMM_WORLD_RANK", rank},
                        {"OMPI_COMM_WORLD_SIZE", "2"},
                        {"OMPI_COMM_WORLD_LOCAL_RANK", rank},
                        {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                        {"PMIX_NAMESPACE", "job1"}});
    return launch(folder, own);
  };
  Timed other;
  std::thread second([&] { other = as_rank("1"); });
  const Timed first = as_rank("0");
  second.join();
  CHECK_MESSAGE(first.result.error.find(what) != std::string::npos, first.result.error);
  CHECK(first.result.code == code);
  CHECK(other.result.code == code);
  CHECK(first.time < at_most);
  CHECK(other.time < at_most);
  const Json report = Json::parse(text_of(folder.path / "d" / "report.json"));
  CHECK(report["exit_code"] == code);
  CHECK(processes_marked(folder.path) == 0);
}

}  // namespace

TEST_CASE("a name that does not resolve") {
  const std::string what = "no-such-host.invalid: the name does not resolve";
  check_alone({{"MASTER_ADDR", "no-such-host.invalid"}}, {}, 1, what);
  check_members({{"MASTER_ADDR", "no-such-host.invalid"}}, 1, what);
}

TEST_CASE("an address that is not rank 0's host") {
  const std::string what = "MASTER_ADDR 192.0.2.1: is no address of ";
  check_alone({{"MASTER_ADDR", "192.0.2.1"}}, {}, 1, what);
  check_members({{"MASTER_ADDR", "192.0.2.1"}, {"MASTER_PORT", "29500"}}, 1, what);
}

TEST_CASE("a port that is taken, with the address given and without") {
  const TakenPort port;
  const std::string what = "127.0.0.1:" + port.text + ": the port is taken on this host";
  check_alone({{"MASTER_PORT", port.text}}, {}, 1, what);
  check_alone({{"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", port.text}}, {}, 1, what);
  check_members({{"MASTER_PORT", port.text}}, 1, port.text + ": the port is taken on this host");
  check_members({{"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", port.text}}, 1, what);
}

TEST_CASE("a port that is none") {
  check_alone({{"MASTER_PORT", "70000"}}, {}, 2, "variable MASTER_PORT: 70000 is no port");
  check_alone({{"MASTER_PORT", "many"}}, {}, 2, "variable MASTER_PORT");
}

TEST_CASE("half given where nothing else says where ranks meet") {
  const Variables rank = {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "0"}};
  for (const auto& [given, missing] : Variables{{"MASTER_ADDR", "MASTER_PORT"}, {"MASTER_PORT", "MASTER_ADDR"}}) {
    const Folder folder(example);
    Variables variables = rank;
    variables[given] = given == "MASTER_PORT" ? "29500" : "127.0.0.1";
    const Timed run = launch(folder, variables);
    CHECK(run.result.code == 2);
    CHECK_MESSAGE(run.result.error.find(missing) != std::string::npos, run.result.error);
    CHECK(run.time < at_most);
  }
}

TEST_CASE("an interface that is not there") {
  const std::string what = "nosuch7: there is no such interface on ";
  check_alone({}, {"--interface", "nosuch7"}, 1, "--interface " + what);
  check_alone({{"GLOO_SOCKET_IFNAME", "nosuch7"}}, {}, 1, "GLOO_SOCKET_IFNAME " + what);
  check_members({{"NCCL_SOCKET_IFNAME", "=nosuch7"}}, 1, "NCCL_SOCKET_IFNAME =nosuch7: there is no such interface on ");
}
