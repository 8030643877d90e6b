// The NetCDF file of the output `netcdf`, read back by netCDF-C: the same from any number of ranks and uneven grids.
#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <netcdf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <limits>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/netcdf/library.h"
#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"

using namespace tradewind;
using namespace tradewind::test;
using namespace tradewind::outputs;
using std::chrono::hours;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t points = 30;
const Time start = parse_date("2024-01-15T18:00:00");
const std::vector<std::vector<std::int64_t>> splits = {{30}, {10, 20}, {1, 0, 29}, {8, 8, 7, 7}};

checkpoint::Metadata some_metadata() {
  checkpoint::Metadata metadata;
  metadata.dataset = "data";
  metadata.output = {"2t", "msl", "tp"};
  for (const std::string& name : metadata.output) metadata.variables[name].name = name;
  return metadata;
}

float value_of(std::size_t variable, std::int64_t row, long step) {
  return static_cast<float>(variable) * 1000.0F + static_cast<float>(row) + static_cast<float>(step) / 100.0F;
}

// Without tp at step 0, as a forecast has it.
State state_at(long step, const std::vector<std::int64_t>& counts, int rank) {
  const fields::Rows rows(counts);
  const dist::RowRange own = rows.range(rank);
  fields::Points coordinates;
  for (std::int64_t row = own.begin; row < own.end; ++row) {
    coordinates.latitudes.push_back(0.1 * static_cast<double>(row));
    coordinates.longitudes.push_back(100.0 + static_cast<double>(row));
  }
  State state{.base = start, .step = hours(step), .previous_step = hours(std::max(0L, step - 6))};
  state.variables = {"2t", "msl"};
  if (step > 0) state.variables.emplace_back("tp");
  state.grid = std::make_shared<const fields::Grid>(
      fields::Grid{rows, std::make_shared<const fields::Points>(std::move(coordinates))});
  const auto count = static_cast<std::int64_t>(state.variables.size());
  state.values = at::empty({count, own.size()}, at::kFloat);
  for (std::int64_t variable = 0; variable < count; ++variable)
    for (std::int64_t i = 0; i < own.size(); ++i)
      state.values[variable][i] = value_of(static_cast<std::size_t>(variable), own.begin + i, step);
  return state;
}

Outlook outlook_of(const std::vector<std::int64_t>& counts, int rank) {
  Outlook outlook;
  outlook.initial = state_at(0, counts, rank);
  outlook.forecast = state_at(6, counts, rank);
  outlook.initial.values = outlook.forecast.values = at::Tensor();
  for (const long step : {6, 12, 18}) outlook.moments.push_back({hours(step), hours(step - 6)});
  return outlook;
}

void write_all(const config::NetcdfOutputConfig& config, const std::vector<std::int64_t>& counts,
               std::size_t pending = 1 << 20) {
  const checkpoint::Metadata metadata = some_metadata();
  const auto as_rank = [&](dist::Communicator& communicator) {
    const auto output = make_output(config, {.metadata = metadata, .pending_bytes = pending}, communicator);
    output->prepare(outlook_of(counts, communicator.rank()));
    for (const long step : {0, 6, 12, 18})
      if (output->wants(hours(step))) output->write(state_at(step, counts, communicator.rank()));
    output->close();
  };
  if (counts.size() > 1) return tradewind::testing::run_ranks(static_cast<int>(counts.size()), as_rank);
  as_rank(*dist::make_single_communicator());
}

config::NetcdfOutputConfig to(const std::string& path) {
  config::NetcdfOutputConfig config;
  config.path = path;
  return config;
}

class Read {
 public:
  explicit Read(const std::string& path) {
    const netcdf::Turn quiet;
    REQUIRE(nc_open(path.c_str(), NC_NOWRITE, &file_) == NC_NOERR);
  }
  ~Read() { nc_close(file_); }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  int variable(const std::string& name) const {
    int id = -1;
    CAPTURE(name);
    REQUIRE(nc_inq_varid(file_, name.c_str(), &id) == NC_NOERR);
    return id;
  }
  std::size_t dimension(const std::string& name) const {
    int id = -1;
    std::size_t size = 0;
    REQUIRE(nc_inq_dimid(file_, name.c_str(), &id) == NC_NOERR);
    REQUIRE(nc_inq_dimlen(file_, id, &size) == NC_NOERR);
    return size;
  }
  nc_type type(const std::string& name) const {
    nc_type type = NC_NAT;
    REQUIRE(nc_inq_vartype(file_, variable(name), &type) == NC_NOERR);
    return type;
  }
  std::vector<double> values(const std::string& name, std::size_t size) const {
    std::vector<double> all(size);
    REQUIRE(nc_get_var_double(file_, variable(name), all.data()) == NC_NOERR);
    return all;
  }
  std::string text(const std::string& name, const std::string& attribute) const {
    std::size_t size = 0;
    REQUIRE(nc_inq_attlen(file_, variable(name), attribute.c_str(), &size) == NC_NOERR);
    std::string text(size, ' ');
    REQUIRE(nc_get_att_text(file_, variable(name), attribute.c_str(), text.data()) == NC_NOERR);
    return text;
  }
  double number(const std::string& name, const std::string& attribute) const {
    double value = 0;
    REQUIRE(nc_get_att_double(file_, variable(name), attribute.c_str(), &value) == NC_NOERR);
    return value;
  }
  int variables() const {
    int count = 0;
    REQUIRE(nc_inq_nvars(file_, &count) == NC_NOERR);
    return count;
  }

 private:
  int file_ = -1;
};

}  // namespace

TEST_CASE("netcdf: dimensions, coordinates and values, from any number of ranks") {
  for (const auto& counts : splits) {
    CAPTURE(counts.size());
    const TemporaryFolder folder;
    write_all(to(folder / "{dataset}/a.nc"), counts);
    const Read file(folder / "data/a.nc");
    CHECK(std::distance(fs::directory_iterator(folder / "data"), fs::directory_iterator()) ==
          1);  // no .partial, no .lock
    CHECK(file.dimension("time") == 4);
    CHECK(file.dimension("values") == points);
    CHECK(file.variables() == 8);
    CHECK(file.type("2t") == NC_FLOAT);
    CHECK(file.type("time") == NC_INT64);
    const auto reference = static_cast<double>(start.time_since_epoch().count());
    CHECK(file.values("forecast_reference_time", 1) == std::vector<double>{reference});
    CHECK(file.values("forecast_period", 4) == std::vector<double>{0, 21600, 43200, 64800});
    CHECK(file.values("time", 4)[3] == reference + 64800);
    CHECK(file.text("time", "units") == "seconds since 1970-01-01 00:00:00+00:00");
    CHECK(file.text("2t", "coordinates") == "forecast_reference_time forecast_period latitude longitude");
    CHECK(std::isnan(file.number("2t", "_FillValue")));
    const std::vector<double> latitudes = file.values("latitude", points),
                              longitudes = file.values("longitude", points);
    const std::vector<double> msl = file.values("msl", 4 * points), tp = file.values("tp", 4 * points);
    for (std::int64_t row = 0; row < points; ++row) {
      const auto i = static_cast<std::size_t>(row);
      CHECK(latitudes[i] == static_cast<float>(0.1 * static_cast<double>(row)));
      CHECK(longitudes[i] == 100.0 + static_cast<double>(row));
      CHECK(std::isnan(tp[i]));  // not there at step 0
      for (const std::size_t record : {0, 1, 2, 3})
        CHECK(msl[record * points + i] == value_of(1, row, static_cast<long>(record) * 6));
      CHECK(tp[3 * points + i] == value_of(2, row, 18));
    }
  }
}

TEST_CASE("netcdf: doubles, another missing value, some variables and steps; little room to wait in") {
  for (const auto& counts : splits) {
    const TemporaryFolder folder;
    config::NetcdfOutputConfig config = to(folder / "a.nc");
    config.doubles = true;
    config.missing_value = -9999;
    config.common.variables = config::VariableSelection{.drop = true, .patterns = {{"2t", {}, {}}}, .at = {}};
    config.common.output_frequency = hours(12);
    write_all(config, counts, 1);
    const Read file(folder / "a.nc");
    CHECK(file.variables() == 7);
    CHECK(file.type("msl") == NC_DOUBLE);
    CHECK(file.type("latitude") == NC_DOUBLE);
    CHECK(file.values("forecast_period", 2) == std::vector<double>{0, 43200});
    CHECK(file.number("tp", "missing_value") == -9999);
    const std::vector<double> tp = file.values("tp", 2 * points);
    CHECK(tp[7] == -9999);
    CHECK(tp[points + 7] == value_of(2, 7, 12));
    CHECK(file.values("latitude", points)[3] == 0.1 * 3);
  }
}

TEST_CASE("netcdf: an older file stays until the new one is whole, and what is unfinished is called so") {
  const TemporaryFolder folder;
  put_text(folder / "a.nc", "older");
  const checkpoint::Metadata metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  {
    const auto output = make_output(to(folder / "a.nc"), {.metadata = metadata}, *communicator);
    output->prepare(outlook_of({30}, 0));
    output->write(state_at(0, {30}, 0));
    CHECK(text_of(folder / "a.nc") == "older");
    CHECK(fs::exists(folder / "a.nc.partial"));
    CHECK(output->files() == std::vector<std::string>{folder / "a.nc"});
    CHECK_FALSE(why_no_restart(*output).empty());
  }
  CHECK(text_of(folder / "a.nc") == "older");
  CHECK(fs::exists(folder / "a.nc.partial"));
  write_all(to(folder / "a.nc"), {30});
  CHECK(Read(folder / "a.nc").dimension("time") == 4);
  CHECK_FALSE(fs::exists(folder / "a.nc.partial"));
}

TEST_CASE("netcdf: what cannot be written is found before the forecast") {
  const TemporaryFolder folder;
  const checkpoint::Metadata metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  const auto prepare = [&](const std::string& path, const std::string& variable) {
    Outlook outlook = outlook_of({30}, 0);
    outlook.forecast.variables.push_back(variable);
    make_output(to(path), {.metadata = metadata}, *communicator)->prepare(outlook);
  };
  CHECK_THROWS_WITH_AS(prepare(folder / "a.nc", "latitude"), doctest::Contains("where a coordinate has it"), UserError);
  CHECK_THROWS_WITH_AS(prepare(folder / "a.nc", "a/b"), doctest::Contains("cannot have its name"), UserError);
  CHECK_THROWS_WITH_AS(prepare("/dev/null", "z"), doctest::Contains("written in order"), UserError);
  CHECK_THROWS_AS(prepare(folder.path.string(), "z"), UserError);
}

namespace {

// While it lives, no file can grow beyond so many bytes, and standard error goes to a file.
class NoRoom {
 public:
  NoRoom(rlim_t bytes, const std::string& errors) : kept_(::dup(STDERR_FILENO)) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    REQUIRE(std::freopen(errors.c_str(), "w", stderr) != nullptr);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~NoRoom() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::fflush(stderr);
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;

 private:
  int kept_;
  rlimit before_{};
};

}  // namespace

TEST_CASE("netcdf: a file that cannot grow is one error, and HDF5 prints nothing of its own") {
  for (const auto& counts : splits) {
    const TemporaryFolder folder;
    std::string told;
    {
      const NoRoom limited(4096, folder / "errors");
      try {
        write_all(to(folder / "a.nc"), counts);
      } catch (const EnvironmentFault& fault) {
        told = fault.what();
      }
    }
    CHECK(told.find("a.nc.partial") != std::string::npos);
    CHECK(told.find("raise the limit (ulimit -f)") != std::string::npos);
    CHECK(text_of(folder / "errors").empty());
    CHECK_FALSE(fs::exists(folder / "a.nc"));
  }
}
