// What the pickle reader makes of a pickle: inert named values. Nothing is executed or constructed; a class is its
// name, its arguments and its state. Values are shared (memo) and may be cyclic (through Object and containers), so
// they live in one arena owned by the tree and refer to each other by plain pointers valid as long as the tree.
// Immutable once read; safe to read from many threads.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/checkpoint/tensor_descriptor.h"

namespace tradewind::checkpoint {

struct Value;
using Ref = const Value*;

struct None {};
struct Bytes {
  std::string data;
};
struct List {
  std::vector<Ref> items;
};
struct Tuple {
  std::vector<Ref> items;
};
struct Set {
  std::vector<Ref> items;
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;  // in insertion order; a later equal key replaces the earlier value
};
struct Global {
  std::string name;  // module.qualname
};
// NEWOBJ or REDUCE of anything that is not a tensor: an object of class `name` (the callable's name for REDUCE),
// its arguments, the state of BUILD (null when none), and items given by SETITEMS or APPENDS (dict and list
// subclasses).
struct Object {
  std::string name;
  std::vector<Ref> arguments;
  Ref state = nullptr;
  std::vector<std::pair<Ref, Ref>> dict_items;
  std::vector<Ref> list_items;
};

// A sparse tensor, kept apart: there are few, and they are larger than any other value.
struct Sparse {
  std::shared_ptr<SparseDescriptor> matrix;
};

struct Value {
  std::variant<None, bool, std::int64_t, double, std::string, Bytes, List, Tuple, Set, Dict, Global, Object,
               TensorDescriptor, Sparse>
      data;
};

}  // namespace tradewind::checkpoint
