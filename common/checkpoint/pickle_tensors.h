// Tensors of a pickle: torch storages in the archive, numpy arrays inside the pickle. Checks every extent.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/archive/archive.h"
#include "common/checkpoint/pickle_arena.h"

namespace tradewind::checkpoint {

// What the tensors of one checkpoint lie in: the storages in the folder that holds data.pkl, and the bytes of arrays
// that stand in the pickle itself. Stored entries are used where they are mapped; compressed or misaligned ones are
// copied once. Must live as long as the descriptors that are made of it, the values of the pickle need not.
class PickleStorages {
 public:
  PickleStorages(std::shared_ptr<const archive::Archive> archive, std::string folder);
  // All bytes of storage `key`, aligned to `alignment`. UserError when there is none.
  std::span<const std::byte> bytes(const std::string& key, std::size_t alignment, std::uint64_t wanted);
  // A copy of what a value of the pickle holds, the same one each time.
  const std::string& keep(const Bytes& value, PickleArena& charged);

 private:
  std::shared_ptr<const archive::Archive> archive_;
  std::string folder_;
  std::map<std::string, std::string> copies_;  // strings are aligned for every element type
  std::map<const Bytes*, std::string> kept_;
  std::uint64_t copied_ = 0;
};

// What the calls of a pickle that make tensors come to. Arguments are the call's; errors through the arena.
class PickleTensors {
 public:
  PickleTensors(PickleArena& arena, PickleStorages& storages) : arena_(arena), storages_(storages) {}

  // ("storage", class, key, location, numel) as an Object named by the class with arguments (key, numel).
  Cell* storage(Ref persistent_id);
  // torch._utils._rebuild_tensor (storage, offset, size, stride), _v2 (.., requires_grad, hooks) and _v3 (.., dtype,
  // metadata).
  Cell* torch_tensor(const std::vector<Ref>& arguments, bool explicit_dtype);
  // torch._utils._rebuild_sparse_tensor (layout, parts): a matrix of coordinates, (indices, values, size[, coalesced]),
  // or of compressed rows, (row pointers, columns, values, size). Null for another layout and what is no matrix.
  Cell* sparse_tensor(const std::vector<Ref>& arguments);
  // Makes `array`, an object of numpy's _reconstruct, the array that its state (version, shape, dtype, fortran order,
  // bytes) describes. Leaves it alone when the dtype is none of ours (objects, text, dates, big-endian).
  void numpy_state(Cell& array, Ref state);
  // numpy's _frombuffer(bytes, dtype, shape, order); null when the dtype is none of ours.
  Cell* numpy_buffer(const std::vector<Ref>& arguments);
  // numpy's scalar(dtype, bytes) as a plain number; null when the dtype is none of ours.
  Cell* numpy_scalar(const std::vector<Ref>& arguments);

 private:
  std::vector<std::int64_t> sizes(Ref value, const char* what) const;
  TensorDescriptor numpy_array(Ref buffer, ScalarType type, std::vector<std::int64_t> shape, bool fortran) const;

  PickleArena& arena_;
  PickleStorages& storages_;
};

}  // namespace tradewind::checkpoint
