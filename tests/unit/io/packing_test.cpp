// Every packing and both editions give the values; messages of several fields are all of them; pictures have bounds.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/index.h"
#include "worker/grib/sections.h"

using namespace tradewind;
using namespace tradewind::grib;
using namespace tradewind::test;

// What ecCodes calls where an assertion of its own fails; in no header.
extern "C" void codes_assertion_failed(const char* message, const char* file, int line);

namespace {

std::vector<double> wave() {
  std::vector<double> values(5248);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 280 + 10 * std::sin(0.1 * static_cast<double>(i));
  return values;
}

Handle packed(long edition, const std::string& packing, const std::vector<double>& values,
              const Json& more = Json::object()) {
  Json keys = {{"edition", edition}, {"shortName", "2t"}, {"date", 20240115}, {"time", 0}};
  keys.update(more);
  Handle message = make_message(keys, values);
  message.set("packingType", packing);
  if (packing != "grid_ieee") message.set("bitsPerValue", 16L);
  message.set_values(values);
  REQUIRE(message.text("packingType") == packing);
  return Handle::from_bytes(message.bytes(), packing);
}

// Sections of an edition 2 message, by number.
std::map<int, std::string> sections_of(const std::string& bytes) {
  std::map<int, std::string> sections;
  for (std::size_t at = 16; at + 4 < bytes.size();) {
    const std::size_t length = big_endian(std::string_view(bytes).substr(at, 4));
    sections[bytes[at + 4]] = bytes.substr(at, length);
    at += length;
  }
  return sections;
}

std::string whole(const std::string& like, const std::string& sections) {
  std::string head = like.substr(0, 8);
  const std::size_t length = sections.size() + 20;
  for (int shift = 56; shift >= 0; shift -= 8) head += static_cast<char>(length >> shift & 0xff);
  return head + sections + "7777";
}

}  // namespace

TEST_CASE("every packing gives the field's values, as float") {
  const std::vector<double> values = wave();
  for (const auto& [edition, packing] :
       std::vector<std::pair<long, std::string>>{{2, "grid_simple"},
                                                 {2, "grid_ccsds"},
                                                 {2, "grid_jpeg"},
                                                 {2, "grid_png"},
                                                 {2, "grid_ieee"},
                                                 {2, "grid_second_order"},
                                                 {2, "grid_complex"},
                                                 {2, "grid_complex_spatial_differencing"},
                                                 {1, "grid_simple"},
                                                 {1, "grid_second_order"},
                                                 {1, "grid_ieee"}}) {
    CAPTURE(edition);
    CAPTURE(packing);
    const Handle message = packed(edition, packing, values);
    const std::vector<float> floats = message.values();
    const std::vector<double> doubles = message.values_double();
    REQUIRE(floats.size() == 5248);
    REQUIRE(doubles.size() == 5248);
    for (std::size_t i = 0; i < values.size(); ++i) {
      REQUIRE(floats[i] == doctest::Approx(values[i]).epsilon(2e-6));
      REQUIRE(doubles[i] == doctest::Approx(values[i]).epsilon(2e-6));
    }
  }
}

TEST_CASE("IEEE values of 64 bits, fields of one value, and missing points in a picture") {
  const std::vector<float> wide = [&] {
    Handle message = packed(2, "grid_ieee", wave());
    message.set("precision", 2L);
    message.set_values(wave());
    return message.values();
  }();
  CHECK(wide[100] == static_cast<float>(wave()[100]));
  for (const char* packing : {"grid_jpeg", "grid_ieee", "grid_ccsds"}) {
    CAPTURE(packing);
    CHECK(packed(2, packing, std::vector<double>(5248, 7.0)).values() == std::vector<float>(5248, 7.0F));
  }
  // PNG with no bits and no picture, as NCEP writes a field of one value; ecCodes writes none.
  const std::string png = packed(2, "grid_png", wave()).bytes();
  auto sections = sections_of(png);
  sections[5].replace(11, 9, std::string("\x40\xe0\0\0\0\0\0\0\0", 9));  // 7, scales of 0, 0 bits
  sections[7] = std::string("\0\0\0\5\7", 5);
  std::string all;
  for (const auto& [number, section] : sections) all += section;
  CHECK(Handle::from_bytes(whole(png, all), "png").values() == std::vector<float>(5248, 7.0F));
  for (const char* packing : {"grid_jpeg", "grid_png", "grid_ieee"}) {
    CAPTURE(packing);
    std::vector<double> holes = wave();
    holes[3] = holes[77] = 9999;
    const std::vector<float> values =
        packed(2, packing, holes, {{"missingValue", 9999}, {"bitmapPresent", 1}}).values();
    CHECK(std::isnan(values[3]));
    CHECK(std::isnan(values[77]));
    CHECK(values[4] == doctest::Approx(holes[4]).epsilon(2e-6));
  }
}

TEST_CASE("a picture larger than the field is refused before it is decoded") {
  for (const std::string packing : {"grid_jpeg", "grid_png"}) {
    CAPTURE(packing);
    std::string bytes = packed(2, packing, wave()).bytes();
    CHECK(points_in_picture(bytes, "") == 5248);
    const std::size_t size = packing == "grid_jpeg" ? bytes.find("\xff\x4f\xff\x51") + 8 : bytes.find("\x89PNG") + 16;
    bytes.replace(size, 8, std::string("\x00\x01\x86\xa0\x00\x01\x86\xa0", 8));  // 100000 x 100000
    const Handle message = Handle::from_bytes(bytes, "here");
    CHECK(has(error_of([&] { message.values(); }), "a picture of 10000000000 points for 5248 values"));
    CHECK(has(error_of([&] { message.values_double(); }), "a picture of 10000000000 points for 5248 values"));
  }
}

TEST_CASE("each field of a message of several is a message") {
  const TemporaryFolder folder;
  std::vector<double> holes = wave();
  holes[3] = 9999;
  const Json bitmap = {{"missingValue", 9999}, {"bitmapPresent", 1}};
  const std::string u = packed(2, "grid_simple", holes, bitmap).bytes();
  Json other = bitmap;
  other["shortName"] = "10u";
  const std::string v = packed(2, "grid_simple", holes, other).bytes();
  auto first = sections_of(u), second = sections_of(v);
  const std::string before(std::string("\0\0\0\6\6\xfe", 6));  // section 6: the bitmap given before
  const std::string both = whole(u, first[1] + first[2] + first[3] + first[4] + first[5] + first[6] + first[7] +
                                        second[4] + second[5] + before + second[7]);
  const std::string path = folder / "both.grib";
  write_file(path, u + both + v);
  const checkpoint::Metadata metadata;
  const Index index({path}, Namer(metadata));
  REQUIRE(index.messages().size() == 4);
  std::vector<std::string> names;
  for (const auto& message : index.messages()) {
    names.push_back(message.name);
    const std::vector<float> values = index.open(message).values();
    REQUIRE(values.size() == 5248);
    CHECK(std::isnan(values[3]));
    CHECK(values[4] == doctest::Approx(holes[4]).epsilon(2e-6));
  }
  CHECK(names == std::vector<std::string>{"2t", "2t", "10u", "10u"});
  CHECK(index.bytes(index.messages()[1]) == u);
  CHECK(index.bytes(index.messages()[2]) == v);
  // sections that do not fill the message
  std::string damaged = both;
  damaged[16 + first[1].size() + first[2].size() + 3] ^= 1;
  write_file(path, damaged);
  CHECK(has(error_of([&] { scan_files({path}); }), "message 1 at byte 0"));
}

TEST_CASE("an assertion of ecCodes that fails names the message that was read") {
  const std::string bytes = packed(2, "grid_simple", wave()).bytes();
  const Handle first = Handle::from_bytes(bytes, "in.grib, message 1"),
               second = Handle::from_bytes(bytes, "in.grib, message 2");
  const auto assertion = [] { return error_of([] { codes_assertion_failed("x > 0", "file.cc", 1); }); };
  first.integer("Ni");
  CHECK(has(assertion(), "in.grib, message 1"));
  second.values();
  CHECK(has(assertion(), "in.grib, message 2"));
  { const Handle third = first.clone(); }
  CHECK_FALSE(has(assertion(), "in.grib"));
}
