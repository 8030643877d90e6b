// Outputs: files that are whole or called .partial, the same bytes from any number of ranks, printed text, selection.
#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/outputs/accumulate.h"
#include "worker/outputs/file_sink.h"
#include "worker/outputs/ordered_file.h"
#include "worker/outputs/output.h"
#include "worker/outputs/room.h"
#include "worker/outputs/selection.h"

using namespace tradewind;
using namespace tradewind::test;
using namespace tradewind::outputs;
using std::chrono::hours;
namespace fs = std::filesystem;

namespace {

const Time start = parse_date("2024-01-15T06:00:00");
constexpr std::int64_t points = 10944;  // o48

checkpoint::Metadata some_metadata() {
  checkpoint::Metadata metadata;
  metadata.grid = "o48";
  metadata.grid_points = points;
  for (const std::string name : {"2t", "msl", "tp", "t_850", "cos_latitude"}) {
    metadata.variables[name].name = name;
    metadata.variables[name].mars = {{"param", name.substr(0, name.find('_'))}, {"levtype", "sfc"}};
  }
  metadata.variables["t_850"].mars = {{"param", "t"}, {"levtype", "pl"}, {"levelist", 850}};
  metadata.variables["tp"].process = checkpoint::Process::accumulation;
  metadata.variables["tp"].period = {Duration::zero(), hours(6)};
  metadata.variables["cos_latitude"].computed_forcing = true;
  metadata.output = {"2t", "msl", "tp", "t_850"};
  return metadata;
}

State state_at(long step, std::vector<std::string> variables = {"2t", "msl", "tp", "t_850", "cos_latitude"}) {
  State state;
  state.base = start;
  state.step = hours(step);
  state.previous_step = hours(std::max(0L, step - 6));
  const auto count = static_cast<std::int64_t>(variables.size());
  state.variables = std::move(variables);
  state.values =
      at::arange(count * points, at::kFloat).remainder(10007).add(static_cast<double>(step)).view({count, points});
  return state;
}

OutputContext context_of(const checkpoint::Metadata& metadata, int ranks = 1) {
  return {.metadata = metadata, .input_templates = {}, .points = {}, .shards = dist::Shards(points, ranks)};
}

config::GribOutputConfig to(const std::string& path) {
  config::GribOutputConfig config;
  config.path = path;
  return config;
}

// Three states through an output of so many ranks.
void write_all(const config::GribOutputConfig& config, int ranks, bool prepared = false) {
  const auto metadata = some_metadata();
  const auto as_rank = [&](dist::Communicator& communicator) {
    const OutputContext context = context_of(metadata, ranks);
    const auto output = make_output(config, context, communicator);
    const dist::RowRange rows = context.shards.range(communicator.rank());
    if (prepared) CHECK(output->prepare({.states = {state_at(6), state_at(18)}, .count = 3}).empty());
    for (const long step : {6, 12, 18}) {
      State state = state_at(step);
      state.values = state.values.slice(1, rows.begin, rows.end).contiguous();
      output->write(state);
    }
    output->close();
    CHECK(output->last_written() == hours(18));
  };
  if (ranks > 1) return tradewind::testing::run_ranks(ranks, as_rank);
  const auto communicator = dist::make_single_communicator();
  as_rank(*communicator);
}

}  // namespace

TEST_CASE("one file, the same bytes from any number of ranks") {
  const TemporaryFolder folder;
  write_all(to(folder / "1.grib"), 1);
  const std::string single = read_file(folder / "1.grib");
  const auto messages = read_messages(folder / "1.grib");
  REQUIRE(messages.size() == 12);  // computed forcings are not written
  CHECK(messages[6].text("shortName") == "tp");
  CHECK(messages[6].text("stepRange") == "6-12");
  CHECK(messages[7].integer("level") == 850);
  CHECK(messages[4].values()[9] == doctest::Approx(21).epsilon(1e-5));
  for (const int ranks : {2, 3, 5}) {  // 5: more ranks than fields
    write_all(to(folder / "n.grib"), ranks);
    CHECK(read_file(folder / "n.grib") == single);
    write_all(to(folder / "prepared.grib"), ranks, true);
    CHECK(read_file(folder / "prepared.grib") == single);
  }
}

TEST_CASE("a path with keys makes many files; split_output false takes it literally") {
  const TemporaryFolder folder;
  write_all(to(folder / "{date}-{step:03}/{shortName}.grib"), 2);
  CHECK(read_messages(folder / "20240115-012/2t.grib").size() == 1);
  CHECK(read_messages(folder / "20240115-018/t.grib").size() == 1);
  CHECK_FALSE(fs::exists(folder / "20240115-018/t.grib.partial"));
  auto literal = to(folder / "{step}.grib");
  literal.split_output = false;
  write_all(literal, 1);
  CHECK(read_messages(folder / "{step}.grib").size() == 12);
}

TEST_CASE("an output that is not closed stays partial, and an older file keeps its name") {
  const TemporaryFolder folder;
  const auto metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  write_file(folder / "o.grib", "an older forecast");
  {
    const auto output = make_output(to(folder / "o.grib"), context_of(metadata), *communicator);
    output->write(state_at(6));
    output->write(state_at(12));
  }
  CHECK(read_file(folder / "o.grib") == "an older forecast");
  CHECK(fs::exists(folder / "o.grib.partial"));
  CHECK_FALSE(fs::exists(folder / "o.grib.lock"));
  {
    const auto output = make_output(to(folder / "bad.grib"), context_of(metadata), *communicator);
    output->write(state_at(6));
    State broken = state_at(12);
    broken.values[1][17] = std::numeric_limits<float>::quiet_NaN();
    output->write(broken);
    const std::string error = error_of([&] { output->close(); });
    CHECK(has(error, "cannot encode msl at step 12h"));
    CHECK(has(error, "allow_nans"));
  }
  CHECK(fs::exists(folder / "bad.grib.partial"));
  CHECK_FALSE(fs::exists(folder / "bad.grib"));
}

TEST_CASE("a link keeps pointing at its file") {
  const TemporaryFolder folder;
  write_file(folder / "real/data.grib", "old");
  fs::create_symlink(folder / "real/data.grib", folder / "link.grib");
  write_all(to(folder / "link.grib"), 1);
  CHECK(fs::is_symlink(folder / "link.grib"));
  CHECK(read_messages(folder / "real/data.grib").size() == 12);
}

TEST_CASE("pipes are written in order, under their own name") {
  const TemporaryFolder folder;
  write_all(to(folder / "file.grib"), 1);
  const std::string pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  std::string received;
  std::thread reader([&] { received = read_file(pipe); });
  write_all(to(pipe), 1);
  reader.join();
  CHECK(received == read_file(folder / "file.grib"));
  CHECK_FALSE(fs::exists(pipe + ".partial"));
}

TEST_CASE("what the file system refuses is said with path and cause") {
  const TemporaryFolder folder;
  const std::string full = error_of([] { write_all(to("/dev/full"), 1); });
  CHECK(has(full, "/dev/full"));
  CHECK(has(full, "No space left"));
  write_file(folder / "file", "x");
  CHECK(has(error_of([&] { write_all(to(folder / "file/o.grib"), 1); }), "folder"));
  fs::create_directory(folder / "dir.grib");
  CHECK(has(error_of([&] { write_all(to(folder / "dir.grib"), 1); }), "is a folder"));
  FileSink sink(16);  // takes no more than 16 bytes while more wait
  sink.create(folder / "small");
  for (std::uint64_t i = 0; i < 100; ++i) sink.append(folder / "small", 10 * i, "0123456789");
  sink.flush();
  sink.publish();
  CHECK(fs::file_size(folder / "small") == 1000);
}

TEST_CASE("two outputs of one name: the second is refused while the first is at it, and nothing is mixed") {
  const TemporaryFolder folder;
  const auto metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  const auto begin = [&](const std::string& path) {
    return make_output(to(path), context_of(metadata), *communicator);
  };
  const auto first = begin(folder / "o.grib");
  first->write(state_at(6));
  fs::create_symlink("o.grib", folder / "link.grib");
  for (const char* name : {"o.grib", "./o.grib", "link.grib"}) {
    const std::string error = error_of([&] { begin(folder / name)->write(state_at(12)); });
    CHECK(has(error, "is held by another run: process " + std::to_string(::getpid())));
  }
  begin(folder / "other.grib")->write(state_at(6));
  first->close();
  CHECK(read_messages(folder / "o.grib").size() == 4);
  CHECK_FALSE(fs::exists(folder / "o.grib.lock"));
  const auto again = begin(folder / "o.grib");
  again->write(state_at(6));
  again->write(state_at(12));
  CHECK(read_messages(folder / "o.grib").size() == 4);
  again->close();
  CHECK(read_messages(folder / "o.grib").size() == 8);
}

TEST_CASE("an unfinished file is one's own: no link is followed, no other's is written or named") {
  const TemporaryFolder folder;
  write_file(folder / "precious", "precious");
  fs::create_symlink("precious", folder / "a.grib.partial");
  fs::create_hard_link(folder / "precious", folder / "b.grib.partial");
  const auto written = [&](const std::string& name, const std::function<void(const std::string&)>& meanwhile) {
    FileSink sink(1 << 20);
    sink.create(folder / name);
    sink.append(folder / name, 0, "mine");
    sink.flush();
    if (meanwhile) meanwhile(folder / (name + ".partial"));
    sink.append(folder / name, 4, ", all of it");
    sink.flush();
    sink.publish();
  };
  written("a.grib", {});
  written("b.grib", {});
  CHECK(read_file(folder / "precious") == "precious");
  CHECK(read_file(folder / "a.grib") == "mine, all of it");
  CHECK(read_file(folder / "b.grib") == "mine, all of it");
  write_file(folder / "c.grib", "an older forecast");
  const auto swap = [&](const std::string& partial) {
    fs::remove(partial);
    write_file(partial, "another run's");
  };
  CHECK(has(error_of([&] { written("c.grib", swap); }), "replaced the unfinished output"));
  const auto link = [&](const std::string& partial) {
    fs::remove(partial);
    fs::create_symlink("precious", partial);
  };
  CHECK_FALSE(error_of([&] { written("c.grib", link); }).empty());
  CHECK(read_file(folder / "c.grib") == "an older forecast");
  CHECK(read_file(folder / "c.grib.partial") == "precious");
  CHECK(read_file(folder / "precious") == "precious");
}

TEST_CASE("a further attempt goes on with its own file only") {
  const TemporaryFolder folder;
  const std::string path = folder / "o.grib";
  std::uint64_t inode = 0;
  {
    FileSink sink(1 << 20);
    inode = sink.create(path);
    sink.append(path, 0, "kept, dropped");
    sink.flush();
  }
  write_file(path, "an older forecast");
  {
    FileSink sink(1 << 20);
    sink.reopen(path, 4, inode);
    sink.append(path, 4, " and gone on");
    sink.flush();
    sink.publish();
  }
  CHECK(read_file(path) == "kept and gone on");
  {  // killed between its final name and the end
    FileSink sink(1 << 20);
    sink.reopen(path, 4, inode);
    CHECK_FALSE(fs::exists(path));
    sink.flush();
    sink.publish();
  }
  CHECK(read_file(path) == "kept");
  fs::copy_file(path, folder / "copy");
  fs::rename(folder / "copy", path);  // another run's
  FileSink sink(1 << 20);
  CHECK_FALSE(error_of([&] { sink.reopen(path, 4, inode); }).empty());
  CHECK(read_file(path) == "kept");
}

TEST_CASE("fields that start before the forecast, fields without a template") {
  const TemporaryFolder folder;
  const auto metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  const auto written = [&](const std::string& mode) {
    auto config = to(folder / "o.grib");
    config.negative_step_mode = mode;
    const auto output = make_output(config, context_of(metadata), *communicator);
    output->write(state_at(0));
    output->close();
    return read_messages(folder / "o.grib").size();
  };
  CHECK(written("write") == 4);
  CHECK(written("skip") == 3);
  CHECK(has(error_of([&] { written("error"); }), "variable tp would start at 2024-01-15T00:00:00"));
  auto config = to(folder / "o.grib");
  config.templates = {config::InputTemplates{}};
  const auto output = make_output(config, context_of(metadata), *communicator);
  const std::string error = error_of([&] { output->write(state_at(0, {"2t"})); });
  CHECK(has(error, "no GRIB template for 2t (tried input; grid O48)"));
  CHECK(has(error, "write_initial_state: false"));
}

TEST_CASE("what would end the forecast later is found before it begins") {
  const TemporaryFolder folder;
  const auto metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  const std::string partial = folder / "o.grib.partial";
  fs::create_directory(folder / "taken.grib");
  write_file(folder / "file", "not a folder");
  const auto refused = [&](const config::GribOutputConfig& config, const Outlook& outlook) -> std::string {
    try {
      make_output(config, context_of(metadata), *communicator)->prepare(outlook);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  using Change = std::function<void(config::GribOutputConfig&)>;
  const auto with = [&](const Change& change) {
    auto config = to(folder / "o.grib");
    change(config);
    fs::remove(partial);
    return refused(config, {.states = {state_at(6), state_at(240)}, .count = 40});
  };
  for (const grib::Json& fine : {grib::Json::object(), grib::Json({{"bitsPerValue", 16}}),
                                 grib::Json({{"bitsPerValue", 1}}), grib::Json({{"packingType", "grid_ieee"}})}) {
    CAPTURE(fine.dump());
    CHECK(with([&](auto& c) { c.encoding = fine; }).empty());
    CHECK(fs::exists(partial));
  }
  for (const grib::Json& lossy : {grib::Json({{"packingType", "grid_simple"}, {"bitsPerValue", 63}}),
                                  grib::Json({{"packingType", "grid_complex"}}),
                                  grib::Json({{"packingType", "grid_simple"}, {"decimalScaleFactor", 30}}),
                                  grib::Json({{"packingType", "grid_simple"}, {"decimalScaleFactor", -10}})}) {
    CAPTURE(lossy.dump());
    const std::string what = with([&](auto& c) {
      c.encoding = lossy;
      c.check_encoding = false;
    });
    CAPTURE(what);
    CHECK(what.find("the packing does not keep the values") != std::string::npos);
  }
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
      {[&](auto& c) { c.path = folder / "file/o.grib"; }, "file: cannot make the output's folder: Not a directory"},
      {[](auto& c) { c.path = "/proc/o.grib"; }, "/proc"},
      {[&](auto& c) { c.common.variables = select("x*"); }, "no variable of the forecast is selected"},
      {[&](auto& c) { c.common.variables = select("cos_*"); }, "no variable of the forecast is selected"}};
  for (const auto& [change, part] : cases) {
    CAPTURE(part);
    const std::string what = with(change);
    CAPTURE(what);
    CHECK(what.find(part) != std::string::npos);
    CHECK_FALSE(fs::exists(partial));
  }
  CHECK(refused(to(folder / "o.grib"), {}).find("nothing would be written: no state is due") != std::string::npos);
  // Only the last step does not fit.
  const Outlook long_one{.states = {state_at(6), state_at(5000000000)}, .count = 2};
  const std::string what = refused(to(folder / "o.grib"), long_one);
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

TEST_CASE("a pipe without a reader is waited for, not for ever") {
  const TemporaryFolder folder;
  const std::string path = folder / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_WITH_AS(OrderedFile(path, {}, std::chrono::milliseconds(300)),
                       doctest::Contains("nobody reads the pipe"), EnvironmentFault);
  const auto waited = std::chrono::steady_clock::now() - begin;
  CHECK(waited >= std::chrono::milliseconds(300));
  CHECK(waited < std::chrono::seconds(20));
  CHECK(OrderedFile::is_ordered(path, {}));
  CHECK(OrderedFile::is_ordered("/dev/null", {}));
  CHECK(OrderedFile::is_ordered("/dev/stdout", {}));
  CHECK(OrderedFile::is_ordered("given", {{"given", 1}}));
  CHECK_FALSE(OrderedFile::is_ordered(folder / "file", {}));
  CHECK_FALSE(OrderedFile::is_ordered("/dev/shm/a.grib", {}));
  CHECK_THROWS_WITH_AS(OrderedFile("/dev/fd/1", {}), doctest::Contains("was handed none"), UserError);
  CHECK_THROWS_WITH_AS(OrderedFile("/nowhere/at/all", {}), doctest::Contains("No such file"), EnvironmentFault);
}

TEST_CASE("which states and variables are written") {
  config::OutputCommon common;
  CHECK(is_due(common, true, std::nullopt, hours(0)));
  CHECK_FALSE(is_due(common, false, std::nullopt, hours(0)));
  CHECK_FALSE(is_due(common, true, hours(12), hours(6)));
  CHECK(is_due(common, true, hours(12), hours(24)));
  common.output_frequency = hours(6);
  common.write_initial_state = false;
  CHECK(is_due(common, true, hours(12), hours(6)));
  CHECK_FALSE(is_due(common, true, hours(12), hours(0)));

  const auto metadata = some_metadata();
  const auto selects = [&](const config::VariableSelection& selection) {
    std::string names;
    for (const auto& [name, variable] : metadata.variables)
      if (is_selected(selection, name, metadata)) names += name + " ";
    return names;
  };
  CHECK(selects({false, {{"t*", {}}}}) == "t_850 tp ");
  CHECK(selects({true, {{"t*", {}}, {"[!c]??", {}}}}) == "2t cos_latitude ");
  CHECK(selects({false, {{"", {{"levtype", {"pl"}}, {"levelist", {"500", "8*"}}}}}}) == "t_850 ");
  CHECK(selects({false, {{"", {{"levtype", {"pl"}}, {"class", {"*"}}}}}}) == "");
  CHECK(is_selected(std::nullopt, "anything", metadata));
}

TEST_CASE("accumulation from the start of the forecast") {
  const auto metadata = some_metadata();
  Accumulate accumulate({}, metadata);
  State state = state_at(6, {"2t", "tp"});
  const at::Tensor given = at::tensor({1.F, -2.F, 3.F, 0.5F, -1.F, 2.F}).view({2, 3});
  state.values = given;
  accumulate(state);
  CHECK(at::equal(state.values, at::tensor({1.F, -2.F, 3.F, 0.5F, 0.F, 2.F}).view({2, 3})));
  CHECK(state.start_steps.at("tp") == Duration::zero());
  CHECK(state.start_steps.size() == 1);
  state.values = given;
  accumulate(state);
  CHECK(at::equal(state.values[1], at::tensor({1.F, 0.F, 4.F})));
  CHECK(given[1][0].item<float>() == 0.5F);  // the model's own tensor is left alone
  CHECK_THROWS_WITH_AS(Accumulate({.accumulations = {{"2t", "absent"}}}, metadata),
                       doctest::Contains("makes no variable absent"), UserError);
  Accumulate signed_sums({.accumulations = {{"2t"}}, .allow_negative = true}, metadata);
  state.values = given;
  signed_sums(state);
  state.values = given;
  signed_sums(state);
  CHECK(at::equal(state.values[0], at::tensor({2.F, -4.F, 6.F})));
}

TEST_CASE("the printer prints what the reference prints") {
  const TemporaryFolder folder;
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  const auto reference = read_messages(golden("gt-transformer/reference.grib"));
  State state;
  state.base = parse_date("2024-01-15");
  state.variables = metadata.prognostic;
  state.variables.insert(state.variables.end(), {"lsm", "z"});
  std::vector<at::Tensor> fields;
  for (std::size_t i = 0; i < state.variables.size(); ++i) fields.push_back(at::tensor(reference.at(i).values()));
  state.values = at::stack(fields);
  const std::string expected = R"(
[data] 😀 date=2024-01-15T00:00:00 latitudes=(5248,) longitudes=(5248,) fields=10

    10u   shape=(5248,) min=-8.65555       max=8.60308       
    10v   shape=(5248,) min=-4.587         max=6.227         
    2t    shape=(5248,) min=255.977        max=306.619       
    msl   shape=(5248,) min=100106         max=102420        

)";
  for (const int ranks : {1, 2}) {
    const auto as_rank = [&](dist::Communicator& communicator) {
      const OutputContext context{
          .metadata = metadata, .input_templates = {}, .points = {}, .shards = dist::Shards(5248, ranks)};
      config::PrinterOutputConfig config;
      config.path = folder / "printed.txt";
      const auto printer = make_output(config, context, communicator);
      State part = state;
      const dist::RowRange rows = context.shards.range(communicator.rank());
      part.values = state.values.slice(1, rows.begin, rows.end);
      printer->write(part);
      printer->close();
    };
    if (ranks == 1)
      as_rank(*dist::make_single_communicator());
    else
      tradewind::testing::run_ranks(ranks, as_rank);
    CHECK(read_file(folder / "printed.txt") == expected);
    CHECK_FALSE(fs::exists(folder / "printed.txt.lock"));
  }
}
