// One array of a zarr store, and the reading of parts of it: only chunks that a part needs are read, one at a time.
// Thread-safe. Errors: UserError naming the chunk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "worker/zarr/array_info.h"
#include "worker/zarr/codecs.h"
#include "worker/zarr/store.h"

namespace tradewind::zarr {

// What is wanted along one axis: a range, or single places in any order, where they are not empty.
struct Wanted {
  std::int64_t begin = 0, end = 0;
  std::vector<std::int64_t> places = {};
  std::int64_t size() const { return places.empty() ? end - begin : static_cast<std::int64_t>(places.size()); }
};

class Array {
 public:
  // nullptr when the store has no array of this name, which is one of ours and not the store's.
  static std::unique_ptr<const Array> find(std::shared_ptr<const Store> store, const std::string& name);
  // UserError then.
  static std::unique_ptr<const Array> open(std::shared_ptr<const Store> store, const std::string& name);

  const ArrayInfo& info() const { return info_; }
  // The product of what is wanted along each axis, the last one fastest, as float, double or, for dates and whole
  // numbers, std::int64_t; real numbers are converted as a cast does. `absent`, where given: counts chunks that are not
  // there, whose elements have the fill value.
  template <typename To>
  void read(const std::vector<Wanted>& wanted, To* to, std::int64_t* absent = nullptr) const;
  template <typename To>
  std::vector<To> read_all(std::int64_t most) const;  // no more elements than `most`, else UserError

 private:
  Array(std::shared_ptr<const Store> store, std::string name, ArrayInfo info)
      : store_(std::move(store)), name_(std::move(name)), info_(std::move(info)) {}
  // By its place among the smallest parts; false when it is not there.
  bool read_part(const std::vector<std::int64_t>& index, Bytes& out) const;
  bool read_from_shard(const std::vector<std::int64_t>& index, Bytes& out) const;
  void check(const std::vector<Wanted>& wanted) const;

  std::shared_ptr<const Store> store_;
  std::string name_;
  ArrayInfo info_;
};

// Attributes of the store's root.
Json read_attributes(const Store& store);

}  // namespace tradewind::zarr
