// Stores that lie, are damaged, lead elsewhere or change while they are read: one UserError each, in bounded memory.
#include <blosc.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zstd.h>

#include <cstring>

#include "tests/unit/datasets/stores.h"

using namespace tradewind;
using namespace tradewind::test;

namespace {

std::string said_of(const UnpackedStore& store) {
  return refusal([&] { read_everything(store.path()); });
}

void check_said(const UnpackedStore& store, const std::string& what) {
  const std::string said = said_of(store);
  CAPTURE(said);
  CHECK(said.find(what) != std::string::npos);
}

std::string number(std::uint32_t value) {
  std::string text(4, '\0');
  std::memcpy(text.data(), &value, 4);
  return text;
}

}  // namespace

TEST_CASE("files that are no JSON, or another shape of it") {
  for (const char* file : {".zattrs", "data/.zarray", "dates/.zarray", "latitudes/.zarray"}) {
    for (const std::string& text : {std::string(), std::string("{"), std::string("[1]"), std::string("5"),
                                    std::string(300, '['), "{\"a\":" + std::string(100000, '[')}) {
      const UnpackedStore store("blosc-lz4");
      store.put(file, text);
      const std::string said = said_of(store);
      CAPTURE(said);
      CHECK_FALSE(said.empty());
      CHECK(said.find(file) != std::string::npos);
    }
  }
  const auto attribute = [](const std::string& from, const std::string& to, const std::string& what) {
    const UnpackedStore store("blosc-lz4");
    store.change(".zattrs", from, to);
    check_said(store, what);
  };
  attribute("\"variables\": [", "\"variables\": [5, ", "`variables` must be a list of names");
  attribute("\"variables\": [", "\"variables\": [\"x\", ", "the attributes name 5 variables, `data` has 4");
  attribute("\"msl\"", "\"2t\"", "`variables` has a name twice");
  attribute("\"variables\"", "\"variabels\"", "name no `variables`");
  attribute("\"missing_dates\": []", "\"missing_dates\": {\"a\": 1}", "`missing_dates` must be a list");
  attribute("\"missing_dates\": []", "\"missing_dates\": [\"soon\"]", "`missing_dates`");
  attribute("\"6h\"", "\"-6h\"", "`frequency` must be a duration");
  attribute("\"6h\"", "[6]", "`frequency` must be a duration");
  attribute("\"flatten_grid\": true", "\"layout\": \"trajectories\"", "layout \"trajectories\" is not supported");
}

TEST_CASE("arrays that do not belong together") {
  const auto metadata = [](const char* file, const std::string& from, const std::string& to, const std::string& what) {
    const UnpackedStore store("none");
    store.change(file, from, to);
    check_said(store, what);
  };
  metadata("data/.zarray", "        27\n", "        28\n", "has not one number for each of the 28 points");
  metadata("data/.zarray", "        5,\n", "        6,\n", "the store has 5 dates, `data` has 6");
  metadata("data/.zarray", "        1,\n        27\n", "        2,\n        27\n", "ensembles are not supported");
  metadata("data/.zarray", "        27\n", "        1099511627776\n", "`data` has 1099511627776 points");
  metadata("data/.zarray", "<f2", "<i2", "`data` holds no real numbers");
  metadata("dates/.zarray", "<M8[m]", "<i8", "`dates` are no dates");
  metadata("dates/.zarray", "        5\n", "        5000000000\n", "chunks of more than");
  metadata("dates/.zarray", "<M8[m]", "<M8[D]", "millennia");
  const UnpackedStore without("none");
  std::filesystem::remove_all(without.path("longitudes"));
  check_said(without, "the store has no array `longitudes`");
  const UnpackedStore nothing("none");
  std::filesystem::remove(nothing.path(".zgroup"));
  check_said(nothing, "no zarr store");
  CHECK(refusal([] { read_everything("/nowhere/x.zarr"); }).find("cannot be opened") != std::string::npos);
}

TEST_CASE("chunks that are cut off, too long, or something else") {
  for (const char* name : {"blosc-lz4", "blosc-zstd", "zlib", "gzip", "zstd", "none", "3-shards", "3-gzip"}) {
    const UnpackedStore whole(name);
    std::vector<std::string> chunks;
    for (const auto& file : std::filesystem::recursive_directory_iterator(whole.path("data")))
      if (file.is_regular_file() && file.path().filename().string().find("zar") == std::string::npos)
        chunks.push_back(std::filesystem::relative(file.path(), whole.path()).string());
    REQUIRE_FALSE(chunks.empty());
    const std::string content = whole.text(chunks.front());
    const auto changed = [&](const std::string& other) {
      whole.put(chunks.front(), other);
      const std::string said = said_of(whole);
      CAPTURE(name);
      CHECK(said.find(chunks.front()) != std::string::npos);
    };
    changed("");
    changed(content.substr(0, 5));
    changed(content.substr(0, content.size() - 1));
    if (std::string(name) != "none") changed(std::string(content.size(), '\xff'));
    changed(std::string(1 << 20, 'x'));
    whole.put(chunks.front(), content);
    CHECK(said_of(whole).empty());
  }
}

TEST_CASE("chunks in which single bits are wrong: an error or other values, nothing else") {
  for (const char* name :
       {"blosc-lz4", "blosc-blosclz", "blosc-zstd", "blosc-bits", "blosc-zlib", "zstd", "3-shards"}) {
    const UnpackedStore store(name);
    for (const auto& file : std::filesystem::recursive_directory_iterator(store.path("data"))) {
      if (!file.is_regular_file() || file.path().filename().string().find("zar") != std::string::npos) continue;
      const std::string chunk = std::filesystem::relative(file.path(), store.path()).string();
      const std::string content = store.text(chunk);
      for (std::size_t at = 0; at < content.size(); at += at < 32 ? 1 : 13) {
        std::string other = content;
        other[at] = static_cast<char>(other[at] ^ (1 << (at % 8)));
        store.put(chunk, other);
        said_of(store);
      }
      store.put(chunk, content);
      break;
    }
    CHECK(said_of(store).empty());
  }
}

TEST_CASE("a small chunk that unpacks to very much is refused before room is made for it") {
  const rlim_t room = rlim_t{4} << 30;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  const UnpackedStore store("blosc-lz4");
  std::string chunk = store.text("data/0.0.0.0");
  chunk.replace(4, 4, number(2147483000));  // blosc's nbytes
  store.put("data/0.0.0.0", chunk);
  check_said(store, "unpacks to 2147483000 bytes, not to the 432");
  const UnpackedStore other("zstd");
  const std::string zeros(std::size_t{64} << 20, '\0');
  std::string packed(ZSTD_compressBound(zeros.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), zeros.data(), zeros.size(), 3));
  other.put("data/0.0.0.0", packed.substr(0, 200));
  check_said(other, "not to the 208 of its array");
  // A metadata that promises long arrays, of which nothing is there.
  const UnpackedStore promises("none");
  promises.change("data/.zarray", "        27\n", "        268435456\n");
  const rlimit less{std::min(room, before.rlim_max), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_AS, &less) == 0);
  const std::string said = refusal([&] { datasets::open_store(promises.path())->coordinates(); });
  REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(said.find("has not one number for each of the 268435456 points") != std::string::npos);
}

TEST_CASE("shards whose index lies") {
  const UnpackedStore store("3-shards-first");
  const std::string shard = "data/c/0/0/0/0", content = store.text(shard);
  const auto index = [&](std::uint64_t offset, std::uint64_t length, const std::string& what) {
    std::string other = content;
    for (int byte = 0; byte < 8; ++byte) {
      other[static_cast<std::size_t>(byte)] = static_cast<char>(offset >> (56 - 8 * byte));
      other[static_cast<std::size_t>(8 + byte)] = static_cast<char>(length >> (56 - 8 * byte));
    }
    store.put(shard, other);
    check_said(store, what);
  };
  index(~std::uint64_t{1}, 4, "points out of it");
  index(content.size(), 1, "points out of it");
  index(8, ~std::uint64_t{0} - 4, "points out of it");
  index(0, 0, "zlib cannot unpack");
  store.put(shard, std::string(20, 'x'));
  check_said(store, "too short for its index");
  const UnpackedStore checked("3-shards");
  std::string other = checked.text(shard);
  other[other.size() - 10] = static_cast<char>(other[other.size() - 10] ^ 1);
  checked.put(shard, other);
  check_said(checked, "checksum does not match");
}

TEST_CASE("links that lead round, and things that are no files") {
  const UnpackedStore store("none");
  const std::string chunk = store.path("data/0/0/0/0");
  std::filesystem::remove(chunk);
  std::filesystem::create_symlink(chunk, chunk);
  check_said(store, "Too many levels of symbolic links");
  std::filesystem::remove(chunk);
  std::filesystem::create_directory(chunk);
  check_said(store, "not a regular file");
  std::filesystem::remove(chunk);
  REQUIRE(::mkfifo(chunk.c_str(), 0600) == 0);
  check_said(store, "not a regular file");
  std::filesystem::remove(chunk);
  std::filesystem::create_symlink("/dev/zero", chunk);
  check_said(store, "not a regular file");
}

TEST_CASE("a store that changes while it is read") {
  const UnpackedStore store("none");
  const auto opened = zarr::Store::open(store.path());
  const auto file = opened->find("data/0/0/0/0");
  const std::string content = store.text("data/0/0/0/0");
  std::string got(content.size(), '\0');
  file->read(0, std::as_writable_bytes(std::span(got)));
  CHECK(got == content);
  store.put("data/0/0/0/0", content.substr(0, content.size() / 2));
  CHECK(refusal([&] { file->read(0, std::as_writable_bytes(std::span(got))); }).find("changed while it was read") !=
        std::string::npos);
  const TemporaryFolder folder;
  std::filesystem::copy_file(packed_store("none"), folder / "x.zarr.zip");
  const auto zip = datasets::open_store(folder / "x.zarr.zip");
  std::filesystem::resize_file(folder / "x.zarr.zip", 3000);
  std::vector<float> values(4 * 27);
  const std::string said = refusal([&] { zip->read({{0}, {0, 1, 2, 3}, {.begin = 0, .end = 27}}, values.data()); });
  CHECK(said.find("changed while it was in use") != std::string::npos);
}

TEST_CASE("zip files that are damaged") {
  const TemporaryFolder folder;
  const std::string whole = text_of(packed_store("blosc-lz4")), path = folder / "x.zarr.zip";
  const auto said = [&](const std::string& content) {
    put_text(path, content);
    return refusal([&] { read_everything(path); });
  };
  CHECK(said(whole).empty());
  CHECK(said(whole.substr(0, whole.size() / 2)).find("x.zarr.zip") != std::string::npos);
  CHECK(said("PK").find("fetch the zarr store again") != std::string::npos);
  std::string climbing = whole;
  for (std::size_t at = 0; (at = climbing.find("data/1.0.0.0", at)) != std::string::npos; ++at)
    climbing.replace(at, 12, "../../x.0.0x");
  CHECK(said(climbing).find("../../x.0.0x") != std::string::npos);
  std::string other = whole;
  const std::size_t at = other.find("data/0.0.0.0") + 12 + 40;
  other[at] = static_cast<char>(other[at] ^ 1);
  CHECK(said(other).find("checksum does not match") != std::string::npos);
}
