#include "worker/grib/tables/short_names.h"

#include <doctest/doctest.h>
#include <eccodes.h>

#include <array>
#include <cstdio>
#include <memory>
#include <set>

#include "tests/unit/io/fixture.h"
#include "worker/grib/builtin.h"
#include "worker/grib/encode.h"
#include "worker/grib/tables/definitions.h"

using namespace tradewind;
using grib::Definitions;
using grib::Handle;
using grib::Json;

extern "C" std::FILE* codes_fopen(const char* name, const char* mode);

namespace {

using Raw = std::unique_ptr<codes_handle, int (*)(codes_handle*)>;

Raw raw(const std::string& bytes) {
  return {codes_handle_new_from_message_copy(nullptr, bytes.data(), bytes.size()), &codes_handle_delete};
}

std::string bytes_of(const Raw& message) {
  const void* data = nullptr;
  std::size_t size = 0;
  REQUIRE(codes_get_message(message.get(), &data, &size) == CODES_SUCCESS);
  return {static_cast<const char*>(data), size};
}

// By ecCodes' own tables.
bool set_by_eccodes(const Raw& message, const std::string& name) {
  std::size_t length = name.size();
  return codes_set_string(message.get(), "shortName", name.c_str(), &length) == CODES_SUCCESS;
}

std::string read_by_eccodes(const Raw& message) {
  std::array<char, 256> name{};
  std::size_t length = name.size();
  REQUIRE(codes_get_string(message.get(), "shortName", name.data(), &length) == CODES_SUCCESS);
  return name.data();
}

std::string set_by_us(const std::string& bytes, const std::string& name) {
  Handle message = Handle::from_bytes(bytes, "message");
  try {
    message.set("shortName", name);
  } catch (const UserError&) {
    return "";
  }
  return message.bytes();
}

std::set<std::string> names_in(const std::string& file) {
  const char* path = grib_context_full_defs_path(codes_context_get_default(), file.c_str());
  REQUIRE(path != nullptr);
  std::FILE* stream = codes_fopen(path, "r");
  std::string text;
  for (int c = std::getc(stream); c != EOF; c = std::getc(stream)) text.push_back(static_cast<char>(c));
  std::fclose(stream);
  const auto definitions = Definitions::parse(text);
  REQUIRE(definitions);
  std::set<std::string> names;
  for (std::size_t i = 0; i < definitions->size(); ++i) names.emplace(definitions->name(i));
  return names;
}

Handle builtin(const Json& keys, bool pressure_level) {
  Handle message = std::move(*grib::make_builtin("O32", pressure_level, std::nullopt));
  message.set_together(keys);
  return message;
}

// Names of the files, set in the message and read again, by ecCodes and by us: every `step`th.
void compare(const Handle& message, const std::vector<std::string>& files, std::size_t step) {
  const std::string bytes = message.bytes();
  std::size_t number = 0, set = 0, told = 0;
  for (const std::string& file : files) {
    for (const std::string& name : names_in(file)) {
      if (number++ % step != 0) continue;
      CAPTURE(name);
      const Raw theirs = raw(bytes);
      const bool can_be_set = set_by_eccodes(theirs, name);
      const bool same = set_by_us(bytes, name) == (can_be_set ? bytes_of(theirs) : "");
      CHECK(same);
      if (!can_be_set) continue;
      ++set;
      const auto known = grib::known_short_name(theirs.get());
      told += known ? 1 : 0;
      if (known) CHECK(*known == read_by_eccodes(theirs));
    }
  }
  CHECK(set > number / step / 2);
  CHECK(told > set * 9 / 10);
}

}  // namespace

TEST_CASE("definitions are read with their comments, quotes and values of other kinds") {
  const auto read = Definitions::parse(
      "# comment = {\n'2t' = {\n\t discipline = 0 ;\n\t a.b = -7 ; # more\n\t}\n\"x y\" = { discipline=1;\n"
      " stepType = \"max\" ; kinds = [1, 2]; d = missing() ; }\nempty = {}\n");
  REQUIRE(read);
  CHECK(read->keys() == std::vector<std::string>{"discipline", "a.b", "stepType", "kinds", "d"});
  REQUIRE(read->size() == 3);
  CHECK(read->name(0) == "2t");
  CHECK(read->name(1) == "x y");
  CHECK(read->begin(1) == 2);
  CHECK(read->begin(2) == 6);
  CHECK(read->begin(3) == 6);
  CHECK(read->conditions()[1].value == -7);
  CHECK(read->conditions()[1].key == 1);
  CHECK(read->conditions()[2].value == 1);
  CHECK(read->conditions()[3].key == (2 | Definitions::unknown_value));
  CHECK(read->conditions()[5].key == 4);
  CHECK(read->conditions()[5].value == 2147483647);
  CHECK(read->conditions()[4].key == (3 | Definitions::unknown_value));
  for (const char* other : {"'a' {x = 1;}", "'a' = x;", "'a' = {x = 1}", "'a = {x = 1;}", "'a' = {x = 1;", "= {}"})
    CHECK_FALSE(Definitions::parse(other));
}

TEST_CASE("short names are set and read as by ecCodes") {
  SUBCASE("reanalysis") { compare(builtin({{"class", "ea"}}, true), {"grib2/shortName.lte33.def"}, 2); }
  SUBCASE("operational, at the surface") {
    compare(builtin({}, false), {"grib2/shortName.lte33.def", "grib2/localConcepts/ecmf/shortName.lte33.def"}, 3);
  }
  SUBCASE("operational, over a period") {
    compare(builtin({{"productDefinitionTemplateNumber", 8}}, false),
            {"grib2/shortName.lte33.def", "grib2/localConcepts/ecmf/shortName.lte33.def"}, 7);
  }
  SUBCASE("names that only ECMWF's definitions tell") {
    const std::vector<std::string> file = {"grib2/localConcepts/ecmf/shortName.lte33.def"};
    for (const std::string& name : names_in(file.front())) {
      if (name.front() != 's') continue;
      CAPTURE(name);
      Handle message = builtin({}, false);
      try {
        message.set("shortName", name);
        message.set("class", std::string("ea"));
      } catch (const UserError&) {
        continue;
      }
      const Raw theirs = raw(message.bytes());
      CHECK(grib::known_short_name(theirs.get()) == read_by_eccodes(theirs));
    }
  }
  SUBCASE("newer tables") { compare(builtin({{"tablesVersion", 35}}, true), {"grib2/shortName.def"}, 7); }
}

TEST_CASE("of GRIB1 and of names that are not there ecCodes is asked") {
  const Handle grib2 = builtin({}, true);
  CHECK(grib::known_short_name(raw(grib2.bytes()).get()) == "q");
  CHECK_FALSE(grib::keys_of_short_name(raw(grib2.bytes()).get(), "no such name"));
  const auto keys = grib::keys_of_short_name(raw(grib2.bytes()).get(), "Q");  // case does not matter
  REQUIRE(keys);
  CHECK(std::string(keys->front().name) == "discipline");
  CHECK(keys->front().value == 0);
  const auto grib1 = Handle::from_sample("GRIB1");
  REQUIRE(grib1);
  CHECK_FALSE(grib::known_short_name(raw(grib1->bytes()).get()));
  CHECK(grib1->text("shortName") == read_by_eccodes(raw(grib1->bytes())));
}

TEST_CASE("the short name among other keys is what ecCodes makes of it") {
  const Handle grib2 = builtin({}, true);
  const Json keys = {{"edition", 2}, {"typeOfLevel", "surface"}, {"shortName", "2t"}, {"dataType", "fc"}, {"step", 6}};
  const Json told = grib2.spelt_out(keys);
  CHECK_FALSE(told.contains("shortName"));
  CHECK(told.begin().key() == "edition");
  CHECK(told["parameterNumber"] == 0);
  CHECK(std::prev(told.end()).key() == "step");
  CHECK(grib2.spelt_out({{"shortName", "no such name"}}) == Json{{"shortName", "no such name"}});
  CHECK(grib2.spelt_out({{"step", 6}}) == Json{{"step", 6}});
  // A key that is given twice is ecCodes' matter.
  const Json twice = {{"shortName", "2t"}, {"parameterNumber", 5}};
  CHECK(grib2.spelt_out(twice) == twice);
}
