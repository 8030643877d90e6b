#include "common/checkpoint/verify.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/archive/mapped_files.h"
#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/archive/zip_builder.h"

using namespace tradewind;
using namespace tradewind::checkpoint;
namespace fs = std::filesystem;

namespace {

const std::string gt_transformer = std::string(TRADEWIND_GOLDEN_DIR) + "/gt-transformer/inference-last.ckpt";

// A copy that a test may write into.
class Copy {
 public:
  Copy() {
    fs::copy_file(gt_transformer, path());
    fs::permissions(path(), fs::perms::owner_read | fs::perms::owner_write);
  }
  std::string path() const { return folder_ / "c.ckpt"; }
  void flip(std::uint64_t offset) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 0x40);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

 private:
  test::TemporaryFolder folder_;
};

const archive::Entry& entry_of(const archive::Archive& archive, const std::string& name) {
  const archive::Entry* entry = archive.find(archive.root() + name);
  REQUIRE(entry != nullptr);
  return *entry;
}

}  // namespace

TEST_CASE("a whole checkpoint has no damaged entries") {
  CHECK(damaged_entries(archive::Archive::open(gt_transformer)).empty());
}

TEST_CASE("every flipped bit is found, wherever it lies, and named") {
  const Copy copy;
  const auto whole = archive::Archive::open(gt_transformer);
  const archive::Entry &first = entry_of(*whole, "data/0"), &other = entry_of(*whole, "data/140");
  copy.flip(first.offset + first.size - 1);
  copy.flip(other.offset + 2);
  const Refusals all = damaged_entries(archive::Archive::open(copy.path()));
  REQUIRE(all.size() == 2);
  for (const Refusal& each : all) CHECK(each.what.find("checksum") != std::string::npos);
  CHECK(all[0].where == copy.path() + ": " + first.name);
  CHECK(all[1].where == copy.path() + ": " + other.name);
}

TEST_CASE("the processes of a host check each entry once between them") {
  const auto archive = archive::Archive::open(gt_transformer);
  std::uint64_t all = Verification(archive).bytes_left(), sum = 0, most = 0;
  for (int index = 0; index < 3; ++index) {
    const std::uint64_t own = Verification(archive, {index, 3}).bytes_left();
    sum += own;
    most = std::max(most, own);
  }
  CHECK(sum == all);
  CHECK(most < all);
  // Whoever has the damaged one finds it, the others do not look at it.
  const Copy copy;
  copy.flip(entry_of(*archive, "data/140").offset);
  int found = 0;
  for (int index = 0; index < 3; ++index) {
    Verification verification(archive::Archive::open(copy.path()), {index, 3});
    try {
      while (verification.step()) {
      }
    } catch (const UserError&) {
      ++found;
    }
  }
  CHECK(found == 1);
}

TEST_CASE("entries without a checksum are counted, not refused") {
  const std::string bytes = zip_of({{.name = "a/x", .content = "hello", .crc_error = 0}});
  const auto archive = archive::Archive::from_bytes(bytes, "made");
  std::string blank = bytes;
  for (const std::string& signature : {std::string("PK\3\4"), std::string("PK\1\2")}) {
    const auto at = blank.find(signature) + (signature[2] == '\3' ? 14 : 16);
    blank.replace(at, 4, std::string(4, '\0'));
  }
  const auto silent = archive::Archive::from_bytes(blank, "made");
  CHECK(without_checksum(*archive).empty());
  CHECK(warning_without_checksum(*archive).empty());
  CHECK(without_checksum(*silent) == std::vector<std::string>{"a/x"});
  CHECK(warning_without_checksum(*silent) ==
        "the checkpoint gives no checksum for a/x: damage to it would not be noticed");
  CHECK(damaged_entries(silent).empty());
  CHECK(silent->read(silent->entries().front(), 100) == "hello");
}

TEST_CASE("compressed entries are checked too, whatever they say of their size") {
  const std::string content(300'000, 'x');
  const auto damage = [](const std::vector<ZipEntry>& entries) {
    std::string all;
    for (const Refusal& each : damaged_entries(archive::Archive::from_bytes(zip_of(entries), "made")))
      all += each.where + ": " + each.what + "\n";
    return all;
  };
  CHECK(damage({{.name = "a/x", .content = content, .deflated = true}, {.name = "a/y", .deflated = true}}).empty());
  CHECK(damage({{.name = "a/x", .content = content, .deflated = true, .crc_error = 1},
                {.name = "a/y", .content = "stored", .crc_error = 1},
                {.name = "a/z", .content = content, .deflated = true, .size_error = -1},
                {.name = "a/u", .content = content, .deflated = true, .size_error = 1},
                {.name = "a/v", .content = content, .deflated = true, .size_error = 1'000'000'000}}) ==
        "made: a/y: the entry is damaged: its checksum does not match its content\n"
        "made: a/x: the compressed entry's checksum does not match its content\n"
        "made: a/z: the compressed entry is larger than it says\n"
        "made: a/u: the compressed entry is smaller than it says\n"
        "made: a/v: the compressed entry is damaged\n");
}

TEST_CASE("what changes while it is mapped is noticed") {
  const Copy copy;
  const auto archive = archive::Archive::open(copy.path());
  archive->require_unchanged();
  SUBCASE("written to") {
    fs::last_write_time(copy.path(), fs::last_write_time(copy.path()) + std::chrono::seconds(1));
    CHECK_THROWS_WITH_AS(archive->require_unchanged(), doctest::Contains("has changed while it was in use"),
                         EnvironmentFault);
  }
  SUBCASE("cut off") {
    fs::resize_file(copy.path(), archive->file_size() / 2);
    CHECK_THROWS_WITH_AS(archive->require_unchanged(), doctest::Contains("bytes"), EnvironmentFault);
    Verification verification(archive);
    CHECK_THROWS_WITH_AS(
        [&] {
          while (verification.step()) {
          }
        }(),
        doctest::Contains("it ends before byte"), EnvironmentFault);
  }
  SUBCASE("another file under its name is no change of this one") {
    fs::rename(copy.path(), copy.path() + ".old");
    fs::copy_file(gt_transformer, copy.path());
    archive->require_unchanged();
    CHECK(archive::Archive::open(copy.path())->inode() != archive->inode());
  }
}

TEST_CASE("the fingerprint is that of the content") {
  const Copy copy;
  CHECK(archive::Archive::open(copy.path())->fingerprint() == archive::Archive::open(gt_transformer)->fingerprint());
  CHECK(archive::Archive::from_bytes(zip_of({{"a/x", "hello"}}), "made")->fingerprint() !=
        archive::Archive::from_bytes(zip_of({{"a/x", "hallo"}}), "made")->fingerprint());
}

TEST_CASE("a mapped file is known by its addresses while it is mapped") {
  const std::byte* inside = nullptr;
  {
    const auto archive = archive::Archive::open(gt_transformer);
    inside = archive->mapped().data() + archive->file_size() - 1;
    REQUIRE(archive::mapped_file_at(inside) != nullptr);
    CHECK(archive::mapped_file_at(inside) == gt_transformer);
    CHECK(archive::mapped_file_at(inside + 1) == nullptr);
  }
  CHECK(archive::mapped_file_at(inside) == nullptr);
}
