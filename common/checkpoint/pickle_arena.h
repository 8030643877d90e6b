// Where a pickle's values live while and after it is read, and the limits that keep a hostile one small.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "common/checkpoint/value.h"

namespace tradewind::checkpoint {

// A value and what the reader alone wants to know about it.
struct Cell : Value {
  std::uint32_t depth = 0;       // how deep containers nest below it, as known when they were filled
  bool reached = false;          // by the naming pass, which also sets what follows
  const Cell* parent = nullptr;  // the container through which it was reached first
  Ref key = nullptr;             // its key there, or null
  std::size_t index = 0;         // its position there, when there is no key
};

// Cells never move. Every byte that a pickle makes us hold is charged, so that copies of shared parts cannot multiply.
class PickleArena {
 public:
  static constexpr std::uint32_t max_depth = 1000;
  static constexpr std::size_t max_values = 4'000'000, max_name = 4096, reference_size = sizeof(void*);
  static constexpr std::uint64_t max_bytes = std::uint64_t{1} << 30;

  // `where` names file and entry in errors.
  PickleArena(std::size_t pickle_size, std::string where);

  // Throws UserError naming the place in the pickle.
  [[noreturn]] void fail(const std::string& what) const;
  void set_position(std::size_t position) { position_ = position; }

  void charge(std::uint64_t bytes) {
    if (bytes > left_) exhausted();
    left_ -= bytes;
  }

  template <class T>
  Cell* make(T&& data) {
    if (cells_.size() >= max_values) too_many();
    charge(sizeof(Cell));
    Cell& cell = cells_.emplace_back();
    cell.data = std::forward<T>(data);
    return &cell;
  }
  Cell* make_string(std::string_view text) {
    charge(text.size());
    return make(std::string(text));
  }
  Cell* make_bytes(std::string data) {
    charge(data.size());
    return make(Bytes{std::move(data)});
  }
  Cell* none() { return &none_; }
  Cell* boolean(bool value) { return value ? &true_ : &false_; }

  // Bounds how deep `outer` nests once `inner` is put into it.
  void nest(Cell& outer, const Cell& inner) const {
    if (inner.depth < outer.depth) return;
    if (inner.depth >= max_depth) too_deep();
    outer.depth = inner.depth + 1;
  }

  std::deque<Cell>& cells() { return cells_; }

 private:
  [[noreturn]] void exhausted() const;
  [[noreturn]] void too_many() const;
  [[noreturn]] void too_deep() const;

  std::deque<Cell> cells_;
  Cell none_, true_, false_;
  std::uint64_t left_;
  std::string where_;
  std::size_t position_ = 0;
};

inline Cell& cell(Ref value) { return const_cast<Cell&>(static_cast<const Cell&>(*value)); }

// The alternative of a value, or null.
template <class T>
const T* get(Ref value) {
  return value ? std::get_if<T>(&value->data) : nullptr;
}
template <class T>
T* get(Cell* value) {
  return value ? std::get_if<T>(&value->data) : nullptr;
}

// Three-way order of dictionary keys: short plain values and short tuples of them by content, others by identity.
int compare_keys(Ref a, Ref b);

// For each key of `items` that occurs again later, keeps its first place with its last value.
void keep_last_values(std::vector<std::pair<Ref, Ref>>& items);

}  // namespace tradewind::checkpoint
