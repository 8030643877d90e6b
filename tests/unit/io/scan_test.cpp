#include "worker/grib/scan.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/find_files.h"
#include "worker/grib/index.h"

using namespace tradewind;
using namespace tradewind::grib;
using namespace tradewind::test;

namespace {

const Json field = {{"shortName", "2t"}, {"date", 20240115}, {"time", 600}, {"step", 6}};

std::vector<double> noise() {
  std::vector<double> values(5248);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * 7919) % 10007);
  return values;
}

}  // namespace

TEST_CASE("messages are found end to end and between junk, in both editions") {
  const TemporaryFolder folder;
  const std::string two = make_message(field, noise()).bytes();
  Json first_edition = field;
  first_edition["edition"] = 1;
  const std::string one = make_message(first_edition, noise()).bytes();
  const std::string junk(70000, 'G');
  const std::string path = folder / "mixed.grib";
  write_file(path, two + one + "xGRI" + two + junk + one + "GRI");
  const FileReader file(path);
  const auto extents = scan_messages(file, path);
  REQUIRE(extents.size() == 4);
  CHECK(extents[0].offset == 0);
  CHECK(extents[1].offset == two.size());
  CHECK(extents[1].length == one.size());
  CHECK(extents[2].offset == two.size() + one.size() + 4);
  CHECK(extents[3].offset == 2 * two.size() + one.size() + 4 + junk.size());
  CHECK(file.read(extents[3]) == one);
}

TEST_CASE("cut and damaged files end in one clear error, wherever the damage lies") {
  const TemporaryFolder folder;
  const checkpoint::Metadata metadata;
  const Namer namer(metadata);
  const std::string message = make_message(field, noise()).bytes(), path = folder / "damaged.grib";
  const auto error_of = [&](const std::string& bytes) -> std::string {
    write_file(path, bytes);
    try {
      const Index index({path}, namer);
      for (const auto& found : index.messages())
        if (found.points == 5248) index.open(found).values();  // other numbers are refused before any value is decoded
      return "";
    } catch (const UserError& error) {
      return error.message() + " | " + error.where();
    }
  };
  CHECK(error_of(message + message) == "");
  const std::string cut = error_of(message + message.substr(0, message.size() - 1));
  CHECK(cut.find("truncated") != std::string::npos);
  CHECK(cut.find("message 2 at byte " + std::to_string(message.size())) != std::string::npos);
  for (const std::size_t length : {4, 7, 8, 11, 15, 16, 40, 200, 600}) {
    CAPTURE(length);
    CHECK(error_of(message.substr(0, length)) != "");
  }
  CHECK(error_of("just text, nothing of ours").find("no GRIB message") != std::string::npos);
  std::string endless = message;
  endless.replace(8, 8, std::string(8, '\xff'));
  CHECK(error_of(endless).find("the file ends after") != std::string::npos);
  std::string nothing = message;
  nothing.replace(8, 8, std::string(8, '\0'));
  CHECK(error_of(nothing).find("impossible") != std::string::npos);
  std::string no_end = message;
  no_end.replace(no_end.size() - 4, 4, "8888");
  CHECK(error_of(no_end).find("7777") != std::string::npos);
  // Any one byte of the headers changed: an error or another field, never a crash.
  std::size_t refused = 0;
  for (std::size_t at = 0; at < 330; ++at)
    for (const char value : {'\0', '\xff', '\x7f'}) {
      std::string changed = message;
      changed[at] = value;
      refused += error_of(changed + message).empty() ? 0 : 1;
    }
  CHECK(refused > 100);
}

TEST_CASE("paths: a file, a folder, a glob, nothing") {
  const TemporaryFolder folder;
  for (const char* name : {"a.grib", "b.txt", "deep/er/c.grb2", "deep/d.grb", "deep/.hidden/e.grib"})
    write_file(folder / name, "x");
  const auto names = [&](const std::string& path) {
    std::vector<std::string> found;
    for (const auto& file : find_files(path).files)
      found.push_back(std::filesystem::relative(file, std::filesystem::path(folder / "a.grib").parent_path()).string());
    return found;
  };
  using Names = std::vector<std::string>;
  CHECK(names(folder / "b.txt") == Names{"b.txt"});
  CHECK(names(folder / "*.*") == Names{"a.grib", "b.txt"});
  CHECK(names(folder / "**/*.gr*") == Names{"a.grib", "deep/d.grb", "deep/er/c.grb2"});
  CHECK(names(folder / "d??p/[!x].grb") == Names{"deep/d.grb"});
  CHECK(names(folder / "deep/**") == Names{"deep/d.grb", "deep/er/c.grb2"});
  CHECK(names(folder / "deep") == Names{"deep/.hidden/e.grib", "deep/d.grb", "deep/er/c.grb2"});
  CHECK_THROWS_WITH_AS(find_files(folder / "no.grib"), doctest::Contains("does not exist"), UserError);
  CHECK_THROWS_WITH_AS(find_files(folder / "*.nc"), doctest::Contains("no file matches"), UserError);
  std::filesystem::create_directory(folder / "empty");
  CHECK_THROWS_AS(find_files(folder / "empty"), UserError);
}
