// Metadata of arrays, as text of anybody: what is read of it, and what is refused.
#include <doctest/doctest.h>

#include "common/errors.h"
#include "worker/zarr/array_info.h"
#include "worker/zarr/codecs.h"

using namespace tradewind;
using namespace tradewind::zarr;

namespace {

const Json second = {{"zarr_format", 2}, {"shape", {4, 6}},    {"chunks", {3, 2}},      {"dtype", "<f4"},
                     {"order", "C"},     {"filters", nullptr}, {"compressor", nullptr}, {"fill_value", "NaN"}};
const Json third = Json::parse(R"({"zarr_format": 3, "node_type": "array", "shape": [4, 6], "data_type": "float32",
  "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3, 2]}},
  "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, "fill_value": 0,
  "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]})");

Json with(Json document, const std::string& pointer, Json value) {
  document[Json::json_pointer(pointer)] = std::move(value);
  return document;
}

std::string refused(const Json& document) {
  try {
    document["zarr_format"] == 3 ? read_array_3(document, "the file") : read_array_2(document, "the file");
  } catch (const UserError& error) {
    CHECK(error.where() == "the file");
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("where elements lie, by order and transposition") {
  CHECK(read_array_2(second, "").chunk.strides == std::vector<std::int64_t>{2, 1});
  CHECK(read_array_2(with(second, "/order", "F"), "").chunk.strides == std::vector<std::int64_t>{1, 3});
  CHECK(read_array_3(third, "").chunk.strides == std::vector<std::int64_t>{2, 1});
  CHECK(read_array_3(third, "").chunk.bytes == 24);
  CHECK(read_array_3(third, "").chunk_name({1, 2}) == "c/1/2");
  CHECK(read_array_2(second, "").chunk_name({1, 2}) == "1.2");
  CHECK(read_array_2(with(second, "/dimension_separator", "/"), "").chunk_name({1, 2}) == "1/2");
}

TEST_CASE("metadata of the wrong shape") {
  struct Case {
    const char *pointer, *value, *what;
  };
  for (const Case& one : {Case{"/shape", "5", "`shape` must be a list"},
                          Case{"/shape", "[4, -6]", "`shape` has a length"},
                          Case{"/shape", "[4, 6.5]", "`shape` has a length"},
                          Case{"/shape", "[99999999999999999999, 6]", "`shape` has a length"},
                          Case{"/shape", "[1099511627776, 1099511627776]", "more elements"},
                          Case{"/shape", "[4]", "differ in length"},
                          Case{"/chunks", "[0, 2]", "`chunks` has a length"},
                          Case{"/chunks", "[65536, 65536]", "chunks of more than 2147483647 bytes"},
                          Case{"/chunks", "[1099511627776, 1048576]", "chunks of more than"},
                          Case{"/chunks", "null", "`chunks` must be a list"},
                          Case{"/dtype", "\"<c8\"", "elements of type '<c8'"},
                          Case{"/dtype", "\"<U8\"", "elements of type"},
                          Case{"/dtype", "\"f4\"", "elements of type"},
                          Case{"/dtype", "\"<M8\"", "elements of type"},
                          Case{"/dtype", "\"<M8[Y]\"", "elements of type"},
                          Case{"/dtype", "\"<f4x\"", "elements of type"},
                          Case{"/dtype", "[[\"a\", \"<f4\"]]", "`dtype` must be one type"},
                          Case{"/order", "\"A\"", "`order` must be C or F"},
                          Case{"/filters", "[{\"id\": \"delta\"}]", "`filters` are not supported"},
                          Case{"/compressor", "{\"id\": \"bz2\"}", "packed with \"bz2\""},
                          Case{"/compressor", "5", "no `id`"},
                          Case{"/fill_value", "[1]", "`fill_value` is not a number"},
                          Case{"/dimension_separator", "\"../\"", "`dimension_separator` must be"}}) {
    CAPTURE(one.pointer);
    CAPTURE(one.value);
    CHECK(refused(with(second, one.pointer, Json::parse(one.value))).find(one.what) != std::string::npos);
  }
  for (const Case& one :
       {Case{"/node_type", "\"group\"", "`node_type` must be array"}, Case{"/codecs", "[]", "`codecs` must be a list"},
        Case{"/codecs", "[{\"name\": \"zstd\"}]", "not supported before the elements are bytes"},
        Case{"/codecs", "[\"bytes\"]", "does not tell the order of bytes"},
        Case{"/codecs", "[{\"name\": \"transpose\", \"configuration\": {\"order\": [0, 0]}}, \"bytes\"]", "is none"},
        Case{"/codecs/1", "{\"name\": \"lzma\"}", "codec \"lzma\" is not supported"},
        Case{"/codecs/1", "{\"nome\": 5}", "no `name`"}, Case{"/data_type", "\"complex64\"", "'complex64'"},
        Case{"/data_type", "{\"name\": \"numpy.datetime64\"}", "'numpy.datetime64'"},
        Case{"/chunk_grid/name", "\"rectilinear\"", "`chunk_grid` must be regular"},
        Case{"/chunk_grid/configuration", "[3]", "no `chunk_shape`"},
        Case{"/chunk_key_encoding/configuration/separator", "\"/../\"", "`separator`"},
        Case{"/chunk_key_encoding/name", "\"mine\"", "`chunk_key_encoding`"},
        Case{"/storage_transformers", "[5]", "`storage_transformers`"}}) {
    CAPTURE(one.pointer);
    CAPTURE(one.value);
    CHECK(refused(with(third, one.pointer, Json::parse(one.value))).find(one.what) != std::string::npos);
  }
  const Json shard = Json::parse(R"([{"name": "sharding_indexed", "configuration": {"chunk_shape": [1, 1],
    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
    "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, "crc32c"]}}])");
  CHECK(refused(with(third, "/codecs", shard)) == "");
  const std::string at = "/codecs/0/configuration/";
  const Json sharded = with(third, "/codecs", shard);
  CHECK(refused(with(sharded, at + "chunk_shape", {2, 2})) == "the chunks of a shard do not fill it");
  CHECK(refused(with(sharded, at + "chunk_shape", {1})).find("differ in length") != std::string::npos);
  CHECK(refused(with(sharded, at + "index_location", "middle")).find("`index_location`") != std::string::npos);
  CHECK(refused(with(sharded, at + "codecs", shard)).find("sharding_indexed") != std::string::npos);
  CHECK(refused(with(with(sharded, "/chunk_grid/configuration/chunk_shape", {1 << 20, 1 << 20}), "/shape", {4, 4}))
            .find("more than 16777216 chunks") != std::string::npos);
}

TEST_CASE("the checksum of shards") {
  // RFC 3720, B.4: 32 bytes of zeros, and 32 of ones.
  CHECK(crc32c(Bytes(32, std::byte{0})) == 0x8A9136AAU);
  CHECK(crc32c(Bytes(32, std::byte{0xFF})) == 0x62A8AB43U);
}
