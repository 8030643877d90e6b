// Dumps of flight recorders: those that torch wrote, whole and broken, and hostile ones.
#include "launcher/flight/record.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "common/errors.h"
#include "common/file_text.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

std::string dump(const std::string& name) {
  const std::string path = std::string(TRADEWIND_FLIGHT_DUMPS) + "/" + name;
  REQUIRE(std::filesystem::exists(path));
  return file_text(path);
}

std::string refusal(const std::string& bytes) {
  try {
    read_flight(bytes, "file");
  } catch (const UserError& error) {
    CHECK(error.exit_code() == ExitCode::bad_input);
    return error.message() + " | " + error.where();
  }
  return "no refusal";
}

// Of one entry; texts as Python's pickle of protocol 2 writes them.
std::string text(const std::string& value) {
  std::string code = "X";
  for (int shift = 0; shift < 32; shift += 8) code += static_cast<char>(value.size() >> shift & 255);
  return code + value;
}

}  // namespace

TEST_CASE("pickles and JSON of torch's own recorders say the same") {
  for (const std::string version : {"2.10.0", "2.15.0"}) {
    CAPTURE(version);
    const FlightRecord pickle = read_flight(dump(version + "/missing/comm_lib_trace_rank_0"), "pickle");
    const FlightRecord json = read_flight(dump(version + "/missing/j0.json"), "json");
    REQUIRE(pickle.entries.size() == 6);
    CHECK(pickle.entries == json.entries);
    CHECK(pickle.version == "2.10");
    const FlightEntry& first = pickle.entries.front();
    CHECK(first.group == "0");
    CHECK(first.sequence == 1);
    CHECK(first.operation == "all_reduce");
    CHECK(first.sizes == "[[4, 3]]");
    CHECK(first.dtypes == "[Float]");
    CHECK(first.done);
    CHECK_FALSE(first.pairwise);
    CHECK(first.created_ns > 1'700'000'000'000'000'000);
    CHECK(pickle.entries.back().sequence == 6);
    CHECK(pickle.entries.back().sizes == "[[4]]");
    CHECK_FALSE(pickle.entries.back().done);
    CHECK(pickle.groups.at("").ranks == std::vector<int>{0, 1, 2, 3});
  }
}

TEST_CASE("a recorder of torch 2.7 that has seen nothing") {
  const FlightRecord record = read_flight(dump("2.7.1/missing/comm_lib_trace_rank_0"), "pickle");
  CHECK(record.version == "2.4");
  CHECK(record.entries.empty());
}

TEST_CASE("a record keeps its newest entries on its way to the controller") {
  FlightRecord record = read_flight(dump("2.15.0/op/comm_lib_trace_rank_1"), "pickle");
  record.rank = 1;
  const FlightRecord same = decode_flight(encode_flight(record));
  CHECK(same.rank == 1);
  CHECK(same.version == record.version);
  CHECK(same.groups == record.groups);
  CHECK(same.entries == record.entries);
  const FlightRecord newest = decode_flight(encode_flight(record, 1));
  REQUIRE(newest.entries.size() == 1);
  CHECK(newest.entries[0].operation == "broadcast");
  CHECK(decode_flight({{"entries", {1, "x", nlohmann::ordered_json::array({1})}}}).entries.empty());
}

TEST_CASE("a dump that is cut off anywhere is refused") {
  const std::string whole = dump("2.10.0/missing/comm_lib_trace_rank_0");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    CAPTURE(size);
    CHECK(refusal(whole.substr(0, size)) != "no refusal");
  }
  const std::string json = dump("2.10.0/missing/j0.json");
  CHECK(refusal(json.substr(0, json.size() / 2)).starts_with("this is no dump of a flight recorder: "));
}

TEST_CASE("what a pickle would execute is named and never done") {
  CHECK(refusal("\x80\x02"
                "cos\nsystem\n" +
                text("touch x") + "\x85R.")
            .find("it calls os.system") != std::string::npos);
  CHECK(refusal("\x80\x02"
                "cos\nsystem\n.")
            .find("it names os.system") != std::string::npos);
  CHECK(refusal("\x80\x02}" + text("version") + text("2.10") + "s" + text("entries") + "cos\nsystem\n)Rs.")
            .find("it calls os.system") != std::string::npos);
}

TEST_CASE("sizes and depths of a hostile dump are bounded") {
  CHECK(refusal(std::string("\x80\x02X\xff\xff\xff\x7f", 7) + "a.") != "no refusal");
  std::string deep = "\x80\x02";
  for (int i = 0; i < 200; ++i) deep += "]";
  for (int i = 0; i < 199; ++i) deep += "a";
  CHECK(refusal(deep + ".").find("nested deeper") != std::string::npos);
  // Each list holds the one before it twice.
  std::string doubled = "\x80\x02" + text("x");
  for (int i = 0; i < 28; ++i)
    doubled +=
        std::string("q") + static_cast<char>(i) + "0]h" + static_cast<char>(i) + "ah" + static_cast<char>(i) + "a";
  CHECK(refusal(doubled + ".").find("more than 4000000 values") != std::string::npos);
  CHECK(refusal("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}").find("nested deeper") !=
        std::string::npos);
}

TEST_CASE("what is no dump is told apart") {
  CHECK(refusal("") == "this is no dump of a flight recorder: it is empty | file");
  CHECK(refusal("{}").find("it tells no version") != std::string::npos);
  CHECK(refusal("{\"version\": \"3.0\"}").find("version 3.0") != std::string::npos);
  CHECK(refusal("{\"version\": \"2.4\", \"entries\": 3}").find("no list") != std::string::npos);
  CHECK(refusal("{\"version\": \"2.4\", \"entries\": [3]}").find("no dictionary") != std::string::npos);
  // Fields of other types are left out, and do no harm.
  const FlightRecord odd = read_flight(
      R"({"version": "2.4", "entries": [{"collective_seq_id": "x", "profiling_name": 3, "process_group": [],
          "input_sizes": {"a": 1}, "retired": 1}]})",
      "file");
  REQUIRE(odd.entries.size() == 1);
  CHECK(odd.entries[0] == FlightEntry{.group = "0"});
}
