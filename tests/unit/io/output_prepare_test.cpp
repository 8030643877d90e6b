// What an output finds before the forecast begins.
#include <filesystem>
#include <functional>
#include <memory>

#include "tests/unit/io/output_case.h"
#include "worker/outputs/room.h"

using namespace tradewind;
using namespace tradewind::test;
namespace fs = std::filesystem;

namespace {

using Change = std::function<void(config::GribOutputConfig&)>;

struct Preparation {
  TemporaryFolder folder;
  checkpoint::Metadata metadata = some_metadata();
  std::unique_ptr<dist::Communicator> communicator = dist::make_single_communicator();
  std::string partial = folder / "o.grib.partial";

  // Why not; empty: it is ready.
  std::string refused(const config::GribOutputConfig& config, const Outlook& outlook) {
    OutputContext context = context_of(metadata);
    context.write_initial_state = false;
    return error_of([&] { make_output(config, context, *communicator)->prepare(outlook); });
  }
  std::string with(const Change& change) {
    auto config = to(folder / "o.grib");
    change(config);
    fs::remove(partial);
    return refused(config, outlook_of({6, 240}));
  }
};

}  // namespace

TEST_CASE("a packing that does not keep the values is found before the forecast begins") {
  Preparation output;
  for (const grib::Json& fine : {grib::Json::object(), grib::Json({{"bitsPerValue", 16}}),
                                 grib::Json({{"bitsPerValue", 1}}), grib::Json({{"packingType", "grid_ieee"}})}) {
    CAPTURE(fine.dump());
    CHECK(output.with([&](auto& c) { c.encoding = fine; }).empty());
    CHECK(fs::exists(output.partial));
  }
  for (const grib::Json& lossy : {grib::Json({{"packingType", "grid_simple"}, {"bitsPerValue", 63}}),
                                  grib::Json({{"packingType", "grid_complex"}}),
                                  grib::Json({{"packingType", "grid_simple"}, {"decimalScaleFactor", 30}}),
                                  grib::Json({{"packingType", "grid_simple"}, {"decimalScaleFactor", -10}})}) {
    CAPTURE(lossy.dump());
    const std::string what = output.with([&](auto& c) {
      c.encoding = lossy;
      c.check_encoding = false;
    });
    CAPTURE(what);
    CHECK(what.find("the packing does not keep the values") != std::string::npos);
  }
}

TEST_CASE("what would end the forecast later is found before it begins") {
  Preparation output;
  const TemporaryFolder& folder = output.folder;
  fs::create_directory(folder / "taken.grib");
  fs::create_symlink("b.grib", folder / "a.grib");
  fs::create_symlink("a.grib", folder / "b.grib");
  write_file(folder / "file", "not a folder");
  const config::SampleTemplates absent{
      .rules = {std::pair<config::Json, std::string>(config::Json({{"levtype", "sfc"}}), "absent.grib")}, .index = {}};
  const auto select = [](const std::string& glob) {
    return config::VariableSelection{.drop = false, .patterns = {config::VariablePattern{.glob = glob, .mars = {}}}};
  };
  const std::vector<std::pair<Change, std::string>> cases = {
      {[](auto& c) {
         c.encoding = {{"bitsPerValue", 200}};
       },
       "cannot encode"},
      {[](auto& c) {
         c.encoding = {{"packingType", "grid_zip"}};
       },
       "grid_zip"},
      {[](auto& c) {
         c.encoding = {{"noSuchKey", 7}};
       },
       "noSuchKey"},
      {[](auto& c) {
         c.grib2_keys = {{"tp", {{"noSuchKey", 7}}}};
       },
       "cannot encode tp at step 6h"},
      {[](auto& c) {
         c.encoding = {{"edition", 3}};
       },
       "GRIB edition 3 is not known"},
      {[](auto& c) { c.templates = {config::InputTemplates{}}; }, "no GRIB template for"},
      {[&](auto& c) { c.templates = {absent}; }, "no GRIB template for"},
      {[](auto& c) { c.path = "{noSuchKey}.grib"; }, "noSuchKey"},
      {[&](auto& c) { c.path = folder / "taken.grib"; }, "the output path is a folder"},
      {[&](auto& c) { c.path = folder / "a.grib"; }, "a.grib: the output path leads through links that go in a circle"},
      {[&](auto& c) { c.path = folder / "a.grib/o.grib"; }, "Too many levels of symbolic links"},
      {[&](auto& c) { c.path = folder / "file/o.grib"; }, "file: cannot make the output's folder: Not a directory"},
      {[](auto& c) { c.path = "/proc/o.grib"; }, "/proc"},
      {[&](auto& c) { c.common.variables = select("x*"); }, "no variable of the forecast is selected"},
      {[&](auto& c) { c.common.variables = select("cos_*"); }, "no variable of the forecast is selected"}};
  for (const auto& [change, part] : cases) {
    CAPTURE(part);
    const std::string what = output.with(change);
    CAPTURE(what);
    CHECK(what.find(part) != std::string::npos);
    CHECK_FALSE(fs::exists(output.partial));
  }
  CHECK(output.refused(to(folder / "o.grib"), {}).find("nothing would be written: no state is due") !=
        std::string::npos);
  // Only the last step does not fit.
  const std::string what = output.refused(to(folder / "o.grib"), outlook_of({6, 5000000000}));
  CAPTURE(what);
  CHECK(what.find("at step 5000000000h") != std::string::npos);
}

TEST_CASE("a place without room is told before the forecast begins") {
  const TemporaryFolder folder;
  CHECK(check_room({folder / "o.grib"}, {.first = 1, .all = 2}).empty());
  const auto free = free_bytes(folder / "not/there/o.grib");
  REQUIRE(free.has_value());
  const auto warnings = check_room({folder / "o.grib"}, {.first = 1, .all = *free + (std::uint64_t{1} << 40)});
  REQUIRE(warnings.size() == 1);
  CHECK(warnings.front().find("the output takes up to") != std::string::npos);
  CHECK_THROWS_WITH_AS(check_room({folder / "o.grib"}, {.first = *free + (std::uint64_t{1} << 40), .all = 0}),
                       doctest::Contains("the first state alone takes"), EnvironmentFault);
}
