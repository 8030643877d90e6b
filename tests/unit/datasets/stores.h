// The stores of stores/ (make_stores.py made them with zarr itself), also unpacked into a folder and changed there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/archive/archive.h"
#include "common/config/inputs/open_dataset.h"
#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "worker/datasets/dataset.h"

namespace tradewind::test {

inline std::string packed_store(const std::string& name) {
  return std::string(TRADEWIND_STORES) + "/" + name + ".zarr.zip";
}

// x.zarr of a folder of the test's own.
class UnpackedStore {
 public:
  explicit UnpackedStore(const std::string& name) {
    const auto archive = archive::Archive::open(packed_store(name));
    for (const archive::Entry& entry : archive->entries()) put(entry.name, archive->read(entry, 1 << 20));
  }
  std::string path() const { return folder_ / "x.zarr"; }
  std::string path(const std::string& file) const { return path() + "/" + file; }
  std::string text(const std::string& file) const { return text_of(path(file)); }
  void put(const std::string& file, const std::string& content) const { folder_.write("x.zarr/" + file, content); }
  // Every `from` in a file becomes `to`; there must be one.
  void change(const std::string& file, const std::string& from, const std::string& to) const {
    std::string content = text(file);
    std::size_t at = content.find(from);
    if (at == std::string::npos) throw InternalFault("nothing to change: " + from, file);
    for (; at != std::string::npos; at = content.find(from, at + to.size())) content.replace(at, from.size(), to);
    put(file, content);
  }

 private:
  TemporaryFolder folder_;
};

// The value that variable v has at date d and point p.
inline double value_of(std::int64_t d, std::int64_t v, std::int64_t p) {
  return 16.0 * static_cast<double>(v) + static_cast<double>(d) + static_cast<double>(p) / 32.0;
}

// What an error says; empty when there is none. Any other exception passes.
template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

// Opens a store and reads all of it.
inline void read_everything(const std::string& path) {
  const auto dataset = datasets::open_store(path);
  dataset->coordinates();
  datasets::Part part{.dates = {}, .variables = {}, .points = {.begin = 0, .end = dataset->points()}};
  for (std::size_t i = 0; i < dataset->dates().size(); ++i) part.dates.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = 0; i < dataset->variables().size(); ++i) part.variables.push_back(static_cast<std::int64_t>(i));
  std::vector<float> values(part.dates.size() * part.variables.size() * static_cast<std::size_t>(dataset->points()));
  dataset->read(part, values.data());
}

}  // namespace tradewind::test
