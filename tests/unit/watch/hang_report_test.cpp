#include "launcher/watch/hang_report.h"
#include "tests/helpers/temporary_folder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/unit/watch/samples.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;
using Json = nlohmann::ordered_json;

namespace {

Hang example() {
  Hang hang;
  hang.samples = ranks(4, [](int rank) { return rank == 2 ? computing(rank) : waiting(rank); });
  for (auto& sample : hang.samples) sample.telemetry.written_step = 21600 + 3600 * sample.rank;
  hang.samples[2].process.threads = {{1002, 'R', "", "", ""}};
  hang.verdict = judge(hang.samples);
  hang.stacks[2] =
      "PID 1002 - process\nTID 1001:\n#0  0x01 other\nTID 1002:\n#0  0x00007f3a work(int) const\n#1 0x02 main\nTID "
      "7:\n";
  hang.seconds_to_suspect = 5;
  hang.seconds_to_verdict = 8.5;
  hang.stopped = true;
  hang.dump_folder = "run/hang";
  return hang;
}

// As much of JSON Schema as hang.schema.json uses.
void check(const Json& schema, const Json& value, const std::string& where) {
  INFO(where);
  if (schema.contains("enum"))
    CHECK(std::find(schema["enum"].begin(), schema["enum"].end(), value) != schema["enum"].end());
  if (schema.contains("type")) {
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    bool fits = false;
    for (const Json& type : types)
      fits = fits || (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
             (type == "string" && value.is_string()) || (type == "integer" && value.is_number_integer()) ||
             (type == "number" && value.is_number()) || (type == "null" && value.is_null());
    CHECK(fits);
  }
  if (schema.contains("minimum")) CHECK(value.get<double>() >= schema["minimum"].get<double>());
  if (schema.contains("minItems")) CHECK(value.size() >= schema["minItems"].get<std::size_t>());
  if (schema.contains("items"))
    for (const Json& item : value) check(schema["items"], item, where + "[]");
  if (!value.is_object()) return;
  for (const auto& member : value.items()) {
    std::string path = where;
    path.append(".").append(member.key());
    REQUIRE_MESSAGE(schema["properties"].contains(member.key()), path);
    check(schema["properties"][member.key()], member.value(), path);
  }
  for (const Json& name : schema["required"]) CHECK_MESSAGE(value.contains(name.get<std::string>()), where, " ", name);
}

}  // namespace

TEST_CASE("the report of every kind of hang is valid against the schema") {
  const Json schema = Json::parse(std::ifstream(TRADEWIND_SCHEMA));
  Hang hang = example();
  check(schema, to_json(hang), "hang");
  hang.samples[2].process.state = 'T';
  for (int round = 0; round < 2; ++round) {
    hang.verdict = judge(hang.samples);
    hang.stopped = false;
    hang.withdrawn = round == 1;
    check(schema, to_json(hang), "hang");
    hang.samples[2] = waiting(2);
  }
}

TEST_CASE("the report names culprit, place and what is safe") {
  const Json json = to_json(example());
  CHECK(json["verdict"] == "missing rank");
  CHECK(json["exit_code"] == 110);
  CHECK(json["action"] == "stopped");
  CHECK(json["last_durable_step"] == "6h");
  CHECK(json["waiting"] == Json::array({0, 1, 3}));
  REQUIRE(json["culprits"].size() == 1);
  const Json& culprit = json["culprits"][0];
  CHECK(culprit["rank"] == 2);
  CHECK(culprit["pid"] == 1002);
  CHECK(culprit["step"] == 3);
  CHECK(culprit["sequence"] == 10);
  CHECK(culprit["state"] == "R");
  CHECK(culprit["stack"] == Json::array({"#0 work(int) const", "#1 main"}));
}

TEST_CASE("what is written is only claimed when every rank says so") {
  Hang hang = example();
  hang.samples[3].telemetry.written_step = -1;
  CHECK(to_json(hang)["last_durable_step"].is_null());
  CHECK_FALSE(durable_step({}).has_value());
}

TEST_CASE("the text fits a screen and says who, where, why and what next") {
  Hang hang = example();
  for (int i = 0; i < 100; ++i)
    hang.stacks[2] += "TID 1002:\n#" + std::to_string(i) + " 0x1 " + std::string(300, 'f') + "\n";
  for (int i = 0; i < 100; ++i) hang.verdict.evidence.push_back("more");
  const std::string text = to_text(hang);
  CHECK(std::count(text.begin(), text.end(), '\n') <= 24);
  for (const char* part :
       {"the run hangs: rank 2 does not come to collective 11", "missing rank (likely)", "rank 2 on here, process 1002",
        "waiting: ranks 0, 1 and 3", "#0 work(int) const", "lead time 6h", "run/hang", "next: "})
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
}

TEST_CASE("frames that gdb guesses are left to the dump") {
  Hang hang = example();
  hang.stacks[2] =
      "Thread 1 (Thread 0x7f3a (LWP 1002) \"worker\"):\n#0  0x01 in ?? () from lib.so\n#1  0x02 in ?? ()\n"
      "#2  0x03 in main ()\n";
  CHECK(to_json(hang)["culprits"][0]["stack"] == Json::array({"#0 in ?? () from lib.so", "#2 in main ()"}));
  CHECK(dump_text(hang.samples[2], hang.stacks[2]).find("#1  0x02 in ?? ()") != std::string::npos);
}

TEST_CASE("nobody is sent to a stack that is not there") {
  Hang hang = example();
  CHECK(to_text(hang).find("its stack in the dump says") != std::string::npos);
  hang.stacks.clear();
  const std::string text = to_text(hang);
  CHECK(text.find("its stack in the dump") == std::string::npos);
  CHECK(text.find("next: no stack could be taken: install eu-stack (package elfutils) or gdb") != std::string::npos);
}

TEST_CASE("dumps lie side by side") {
  const tradewind::test::TemporaryFolder folder;
  Hang hang = example();
  hang.dump_folder = folder / "hang";
  hang.records[1] = "7 gloo:barrier: - -> -, done\n";
  write_dumps(hang);
  for (int rank = 0; rank < 4; ++rank) {
    const std::string text = tradewind::test::text_of(folder / ("hang/rank-" + std::to_string(rank) + ".txt"));
    CHECK(text.find("rank " + std::to_string(rank) + " on here") == 0);
    CHECK((text.find("0x02 main") != std::string::npos) == (rank == 2));
    CHECK(text.ends_with("flight recorder, by its own numbers, oldest first:\n7 gloo:barrier: - -> -, done\n") ==
          (rank == 1));
  }
}
