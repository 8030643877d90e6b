#include "worker/npz/npz.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "worker/npz/npy_header.h"

using namespace tradewind;

namespace {

struct TemporaryFile {
  test::TemporaryFolder folder;
  std::string path = folder / "a.npz";
};

}  // namespace

TEST_CASE("arrays come back as they were written") {
  const TemporaryFile file;
  const at::Tensor y = at::randn({2, 3, 5}), z = at::randn({4}, at::kDouble), none = at::empty({0, 7});
  npz::write(file.path, {{"y", y}, {"z", z}, {"turned", y.transpose(0, 2)}, {"none", none}});
  const auto archive = archive::Archive::open(file.path);
  CHECK(at::equal(npz::read(*archive, "y"), y));
  CHECK(at::equal(npz::read(*archive, "z"), z));
  CHECK(at::equal(npz::read(*archive, "turned"), y.transpose(0, 2)));
  CHECK(npz::read(*archive, "none").sizes() == at::IntArrayRef({0, 7}));
  CHECK(archive->find("none.npy")->crc32 != 0);  // of its header
  CHECK_THROWS_AS(npz::read(*archive, "x"), UserError);
  CHECK_FALSE(std::filesystem::exists(file.path + ".partial"));
}

TEST_CASE("parts that several write are one file, compressed") {
  const TemporaryFile file;
  const at::Tensor y = at::arange(20000, at::kFloat).remainder(7), none = at::empty({0}, at::kDouble);
  const npz::PackedArray parts[] = {npz::pack("y", y), npz::pack_text("when", "now"), npz::pack("none", none)};
  std::string bytes;
  std::vector<npz::ZipEntry> entries;
  for (const npz::PackedArray& part : parts) {
    bytes += part.bytes;
    entries.push_back(part.entry);
  }
  CHECK(bytes.size() < 20000);
  std::ofstream(file.path, std::ios::binary) << bytes << npz::directory_of(entries);
  const auto archive = archive::Archive::open(file.path);
  CHECK(at::equal(npz::read(*archive, "y"), y));
  CHECK(npz::read(*archive, "none").numel() == 0);
  const std::string text = archive->read(*archive->find("when.npy"), 1000);
  const npz::NpyHeader header = npz::parse_npy_header(text, "when");
  CHECK(header.type == "<U3");
  CHECK(header.shape.empty());
  CHECK(text.substr(header.data_offset) == std::string("n\0\0\0o\0\0\0w\0\0\0", 12));
}

TEST_CASE("whole numbers and numbers without an axis are read") {
  const std::string golden = std::string(TRADEWIND_GOLDEN_DIR) + "/legacy/0.9.3-ens/reference.npz";
  const auto archive = archive::Archive::open(golden);
  REQUIRE(npz::holds(*archive, "fcstep"));
  CHECK_FALSE(npz::holds(*archive, "seed"));
  const at::Tensor step = npz::read(*archive, "fcstep");
  CHECK((step.scalar_type() == at::kLong));
  CHECK(step.numel() == 1);
  CHECK(step.item<std::int64_t>() == 0);
}

TEST_CASE("headers as NumPy writes them") {
  const auto with = [](const std::string& dict, char version) {
    std::string bytes = "\x93NUMPY";
    bytes += version;
    bytes += '\0';
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>((dict.size() >> (8 * i)) & 0xff);
    return bytes + dict;
  };
  for (const char version : {1, 2, 3}) {
    const auto header = npz::parse_npy_header(
        with("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 1600, 17), }    \n", version), "x");
    CHECK(header.type == "<f4");
    CHECK_FALSE(header.fortran_order);
    CHECK(header.shape == std::vector<std::int64_t>{1, 2, 1600, 17});
    CHECK(header.data_offset ==
          with("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 1600, 17), }    \n", version).size());
  }
  CHECK(npz::parse_npy_header(with("{'descr': '<f8', 'fortran_order': True, 'shape': (3,), }", 1), "x").fortran_order);
  CHECK(npz::parse_npy_header(with("{'descr': '<i8', 'fortran_order': False, 'shape': (), }", 1), "x").shape.empty());
  for (const std::string& bad :
       {std::string("PK"), with("{'descr': '<f4'}", 1),
        with("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", 1), with("", 4), with("{'shape'", 1),
        with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 1)}) {
    CHECK_THROWS_AS(npz::parse_npy_header(bad, "x"), UserError);
  }
  const std::string huge = with("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 2);
  CHECK_THROWS_AS(npz::parse_npy_header(huge.substr(0, 11), "x"), UserError);
}
