// Writes pickles opcode by opcode, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/unit/archive/zip_builder.h"

namespace tradewind::checkpoint::ops {

inline std::string begin(int protocol = 2) { return std::string("\x80") + static_cast<char>(protocol); }
inline std::string text(std::string_view value) { return "X" + little(value.size(), 4) + std::string(value); }
inline std::string bytes(std::string_view value) { return "B" + little(value.size(), 4) + std::string(value); }
inline std::string integer(std::int64_t value) { return "\x8a\x08" + little(static_cast<std::uint64_t>(value), 8); }
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
// A tuple of what `items` push.
inline std::string tuple(std::string_view items) { return "(" + std::string(items) + "t"; }
inline std::string call(std::string_view callable, std::string_view arguments) {
  return std::string(callable) + tuple(arguments) + "R";
}
inline std::string put(int index) { return "q" + little(index, 1); }
inline std::string get(int index) { return "h" + little(index, 1); }

inline std::string storage(std::string_view type, std::string_view key, std::int64_t count) {
  return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count)) + "Q";
}
// torch._utils._rebuild_tensor_v2 with sizes and strides given as what pushes their integers.
inline std::string tensor(std::string_view storage, std::int64_t offset, std::string_view size,
                          std::string_view stride) {
  return call(global("torch._utils", "_rebuild_tensor_v2"), std::string(storage) + integer(offset) + tuple(size) +
                                                                tuple(stride) + "\x89" +
                                                                call(global("collections", "OrderedDict"), ""));
}

}  // namespace tradewind::checkpoint::ops
