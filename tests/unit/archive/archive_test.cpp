#include "common/archive/archive.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/archive/zip_builder.h"

namespace tradewind::checkpoint {
namespace {

constexpr const char* golden = TRADEWIND_GOLDEN_DIR "/gt-transformer/inference-last.ckpt";

std::shared_ptr<const archive::Archive> archive_of(const std::vector<ZipEntry>& entries, const ZipEnd& end = {}) {
  return archive::Archive::from_bytes(zip_of(entries, end), "made.zip");
}

std::string content(const archive::Archive& archive, const char* name) {
  const archive::Entry* entry = archive.find(name);
  REQUIRE(entry);
  return archive.read(*entry, 1 << 20);
}

// The message of the UserError that opening (and reading everything) ends with; empty when there is none.
std::string refusal(const std::string& bytes) {
  try {
    const auto archive = archive::Archive::from_bytes(bytes, "made.zip");
    for (const archive::Entry& entry : archive->entries()) (void)archive->read(entry, 1 << 20);
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

std::string refusal(const std::vector<ZipEntry>& entries, const ZipEnd& end = {}) {
  return refusal(zip_of(entries, end));
}

bool says(const std::string& message, const char* part) { return message.find(part) != std::string::npos; }

TEST_CASE("a real checkpoint is mapped, not copied") {
  const auto archive = archive::Archive::open(golden);
  CHECK(archive->path() == golden);
  CHECK(archive->file_size() == std::filesystem::file_size(golden));
  CHECK(archive->entries().size() == 165);
  CHECK(archive->root() == "inference-last/");
  CHECK(archive->entries()[0].name == "inference-last/data.pkl");
  const archive::Entry* pickle = archive->find("inference-last/data.pkl");
  REQUIRE(pickle);
  CHECK(pickle->size == 96793);
  CHECK_FALSE(pickle->deflated);
  const auto bytes = archive->bytes(*pickle);
  CHECK(bytes.size() == 96793);
  CHECK(bytes[0] == std::byte{0x80});
  CHECK(bytes.data() == archive->bytes(*pickle).data());
  CHECK(content(*archive, "inference-last/byteorder") == "little");
  CHECK(content(*archive, "inference-last/anemoi-metadata/anemoi.json").size() == 13755);
  CHECK(reinterpret_cast<std::uintptr_t>(archive->bytes(*archive->find("inference-last/data/0")).data()) % 64 == 0);
  CHECK(archive->find("inference-last/data.pk") == nullptr);
}

TEST_CASE("stored, deflated, with descriptors, zip64") {
  std::string noise(100000, '\0');
  std::mt19937 generator(1);
  for (char& c : noise) c = static_cast<char>(generator() % 7);
  for (const bool deflated : {false, true})
    for (const bool descriptor : {false, true})
      for (const bool zip64 : {false, true}) {
        ZipEntry entry{"top/noise", noise, deflated, descriptor, zip64};
        const auto archive = archive_of({{"top/empty", "", deflated}, entry, {"top/last", "end"}}, {zip64});
        CAPTURE(deflated);
        CAPTURE(descriptor);
        CAPTURE(zip64);
        CHECK(archive->entries().size() == 3);
        CHECK(archive->root() == "top/");
        CHECK(content(*archive, "top/noise") == noise);
        CHECK(content(*archive, "top/empty").empty());
        CHECK(content(*archive, "top/last") == "end");
        const archive::Entry* found = archive->find("top/noise");
        CHECK(found->deflated == deflated);
        CHECK((found->stored_size < noise.size()) == deflated);
        if (deflated)
          CHECK_THROWS_AS((void)archive->bytes(*found), UserError);
        else
          CHECK(archive->bytes(*found).size() == noise.size());
      }
}

TEST_CASE("a comment may follow, and entries need have no common folder") {
  const auto archive = archive_of({{"a/x", "1"}, {"b", "2"}}, {.comment = "a comment with PK\5\6 in it"});
  CHECK(archive->entries().size() == 2);
  CHECK(archive->root().empty());
  CHECK(archive_of({})->entries().empty());
  CHECK(archive_of({{"abc", "1"}, {"abcd", "2"}})->root().empty());
}

TEST_CASE("more than the limit is never made") {
  const auto archive = archive_of({{"bomb", std::string(1 << 20, '\0'), true}, {"plain", "12345"}});
  CHECK_THROWS_AS((void)archive->read(*archive->find("bomb"), (1 << 20) - 1), UserError);
  CHECK(archive->read(*archive->find("bomb"), 1 << 20).size() == 1 << 20);
  CHECK_THROWS_AS((void)archive->read(*archive->find("plain"), 4), UserError);
}

TEST_CASE("what a directory says is checked") {
  const std::string text(500, 'x');
  CHECK(says(refusal({{.name = "a", .content = text, .deflated = true, .crc_error = 1}}), "checksum"));
  CHECK(says(refusal({{.name = "a", .content = text, .deflated = true, .size_error = 1}}), "smaller than it says"));
  CHECK(says(refusal({{.name = "a", .content = text, .deflated = true, .size_error = -1}}), "larger than it says"));
  CHECK(says(refusal({{.name = "a", .content = text, .deflated = true, .size_error = 900000}}), "damaged"));
  CHECK(says(refusal({{.name = "a", .content = text, .deflated = true, .stored_error = -3}}), "damaged"));
  CHECK(says(refusal({{.name = "a", .content = text, .size_error = 1}}), "two different sizes"));
  CHECK(says(refusal({{.name = "a", .content = text, .size_error = 1, .stored_error = 1}}), "beyond the start"));
  CHECK(says(refusal({{.name = "a", .content = text, .size_error = 40, .stored_error = 40}, {"b", text}}), "overlaps"));
  CHECK(says(refusal({{.name = "a", .content = text, .zip64 = true, .size_error = -600, .stored_error = -600}}),
             "beyond the start"));
  CHECK(says(refusal({{.name = "a", .content = text, .offset_error = 1}}), "local header"));
  CHECK(says(refusal({{.name = "a", .content = text, .offset_error = 1 << 30}}), "local header"));
  CHECK(says(refusal({{.name = "a", .content = text, .zip64 = true, .offset_error = -1}}), "local header"));
  CHECK(says(refusal({{.name = "a", .content = text, .local_name = "b"}}), "another name"));
  CHECK(says(refusal({{.name = "a", .content = text, .flags = 1}}), "encrypted"));
  CHECK(says(refusal({{.name = "a", .content = text, .method_added = 12}}), "method 12"));
  CHECK(says(refusal({{"a", text}, {"a", text}}), "same name"));
  CHECK(says(refusal({{"../a", text}}), "leaves the archive"));
  CHECK(says(refusal({{"a/..\\b", text}}), "leaves the archive"));
  CHECK(says(refusal({{"/a", text}}), "absolute"));
  CHECK(says(refusal({{"", text}}), "no name"));
  CHECK(says(refusal({{std::string("a\0b", 3), text}}), "NUL"));
  CHECK(refusal({{"..a/b../...", text}}).empty());
}

TEST_CASE("the directory's place and counts are checked") {
  const std::vector<ZipEntry> one = {{"a", "content"}};
  for (const bool zip64 : {false, true}) {
    CHECK(refusal(one, {zip64}).empty());
    CHECK(says(refusal(one, {.zip64 = zip64, .count_error = 1}), "too short"));
    CHECK(says(refusal(one, {.zip64 = zip64, .count_error = -1}), "longer than its entries"));
    CHECK(says(refusal(one, {.zip64 = zip64, .offset_error = 1}), "outside"));
    CHECK(says(refusal(one, {.zip64 = zip64, .size_error = 1}), "outside"));
    CHECK(says(refusal(one, {.zip64 = zip64, .size_error = -1}), "beyond it"));
  }
  CHECK(says(refusal(one, {.zip64 = true, .offset_error = std::int64_t{1} << 62, .size_error = std::int64_t{3} << 61}),
             "outside"));
  CHECK(says(refusal(one, {.zip64 = true, .count_error = std::int64_t{1} << 62}), "too short"));
}

TEST_CASE("a file that was cut off anywhere is refused") {
  const std::string whole =
      zip_of({{"top/a", "content", true}, {.name = "top/b", .content = "more", .zip64 = true}}, {true});
  CHECK(refusal(whole).empty());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(refusal(whole.substr(0, size)).empty());
  }
}

TEST_CASE("a file in which any byte was changed never does worse than a UserError") {
  const std::string whole =
      zip_of({{"top/a", "content", true}, {.name = "top/b", .content = "more", .zip64 = true}}, {true});
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int change : {1, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      CHECK_NOTHROW((void)refusal(changed));
    }
}

TEST_CASE("what is no file is refused") {
  const auto refused = [](const std::string& path) {
    try {
      (void)archive::Archive::open(path, "a file of that kind");
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const test::TemporaryFolder folder;
  CHECK(says(refused(folder / "absent.ckpt"), "No such file"));
  CHECK(says(refused(folder.path), "folder"));
  CHECK(says(refused("/dev/null"), "not a regular file"));
  folder.write("empty.ckpt", "");
  CHECK(says(refused(folder / "empty.ckpt"), "empty"));
  folder.write("text.ckpt", "this is a text and no zip file at all");
  CHECK(says(refused(folder / "text.ckpt"), "not a zip file"));
  CHECK(says(refused(folder / "text.ckpt"), "give a file of that kind itself"));
  CHECK(says(refused(folder / "absent.ckpt"), "give the path of a file of that kind"));
}

}  // namespace
}  // namespace tradewind::checkpoint
