// The machine behind read_pickle: its parts here, its opcodes in pickle.cpp.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/checkpoint/pickle_arena.h"
#include "common/checkpoint/pickle_calls.h"
#include "common/checkpoint/pickle_text.h"

namespace tradewind::checkpoint {

// Stack, marks, memo and byte cursor of the pickle machine, and what its opcodes need of them.
class PickleMachine {
 public:
  static constexpr std::size_t max_stack = PickleArena::max_values;

  PickleMachine(std::string_view pickle, PickleArena& arena, PickleStorages& storages)
      : pickle_(pickle), arena_(arena), calls_(arena, storages) {}

  Ref run() {
    if (pickle_.empty()) arena_.fail("the pickle is empty");
    if (pickle_[0] != '\x80') arena_.fail("not a pickle of protocol 2 to 5");
    while (!done_) {
      arena_.set_position(at_);
      step(number<std::uint8_t>());
    }
    return result_;
  }

 private:
  // --- bytes

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view take(std::uint64_t size) {
    if (size > pickle_.size() - at_)
      arena_.fail("the pickle ends " + std::to_string(size - (pickle_.size() - at_)) + " bytes early");
    const std::string_view bytes = pickle_.substr(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return bytes;
  }
  std::string_view line() {
    const std::size_t end = pickle_.find('\n', at_);
    if (end == std::string_view::npos) arena_.fail("a line of the pickle does not end");
    const std::string_view text = pickle_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }

  // --- stack

  void push(Cell* cell) {
    if (stack_.size() >= max_stack) arena_.fail("the pickle's stack grows beyond " + std::to_string(max_stack));
    stack_.push_back(cell);
  }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Cell* top() {
    if (stack_.size() <= floor()) arena_.fail("the pickle takes from an empty stack");
    return stack_.back();
  }
  Cell* pop() {
    Cell* cell = top();
    stack_.pop_back();
    return cell;
  }
  void mark() {
    if (marks_.size() >= PickleArena::max_depth)
      arena_.fail("the pickle nests deeper than " + std::to_string(PickleArena::max_depth));
    marks_.push_back(stack_.size());
  }
  std::vector<Ref> pop_mark() {
    if (marks_.empty()) arena_.fail("the pickle has no mark on its stack");
    std::vector<Ref> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  std::vector<Ref> pop_some(std::size_t count) {
    std::vector<Ref> items(count);
    while (count-- > 0) items[count] = pop();
    return items;
  }

  // --- memo

  void put(std::uint64_t index) {
    // A pickler numbers its entries one by one, each of at least a byte.
    if (index >= pickle_.size() || index >= PickleArena::max_values) arena_.fail("a memo index is out of range");
    if (index >= memo_.size()) memo_.resize(index + 1, nullptr);
    if (!memo_[index]) ++memoized_;
    memo_[index] = top();
  }
  Cell* recall(std::uint64_t index) {
    if (index >= memo_.size() || !memo_[index]) arena_.fail("memo entry " + std::to_string(index) + " does not exist");
    return memo_[index];
  }
  std::uint64_t line_index() {
    const auto index = parse_int(line());
    if (!index || *index < 0) arena_.fail("a memo index is malformed");
    return static_cast<std::uint64_t>(*index);
  }

  // --- values

  template <class T>
  Cell* sequence(std::vector<Ref>&& items) {
    arena_.charge(items.size() * PickleArena::reference_size);
    Cell* value = arena_.make(T{});
    for (const Ref item : items) arena_.nest(*value, cell(item));
    std::get<T>(value->data).items = std::move(items);
    return value;
  }
  void append(Cell& target, const std::vector<Ref>& items) {
    std::vector<Ref>* list = nullptr;
    if (auto* plain = get<List>(&target)) list = &plain->items;
    if (auto* set = get<Set>(&target)) list = &set->items;
    if (auto* object = get<Object>(&target)) list = &object->list_items;
    if (!list) arena_.fail("items are appended to something that is no list");
    arena_.charge(2 * items.size() * PickleArena::reference_size);  // twice, for the room that a growing vector keeps
    list->insert(list->end(), items.begin(), items.end());
    for (const Ref item : items) arena_.nest(target, cell(item));
  }
  void set_items(Cell& target, const std::vector<Ref>& items) {
    std::vector<std::pair<Ref, Ref>>* pairs = nullptr;
    if (auto* dict = get<Dict>(&target)) pairs = &dict->items;
    if (auto* object = get<Object>(&target)) pairs = &object->dict_items;
    if (!pairs) arena_.fail("items are set in something that is no dictionary");
    if (items.size() % 2 != 0) arena_.fail("a dictionary's key has no value");
    arena_.charge(2 * items.size() * PickleArena::reference_size);
    for (std::size_t i = 0; i < items.size(); i += 2) {
      pairs->emplace_back(items[i], items[i + 1]);
      arena_.nest(target, cell(items[i]));
      arena_.nest(target, cell(items[i + 1]));
    }
  }
  Cell* call(Ref callable, Ref arguments) {
    const auto* tuple = get<Tuple>(arguments);
    if (!tuple) arena_.fail("a call's arguments are no tuple");
    return calls_.call(callable, tuple->items);
  }
  // INST and OBJ: old-style classes, with their arguments on the stack.
  Cell* call_first(std::vector<Ref> items) {
    if (items.empty()) arena_.fail("an object has no class");
    const Ref callable = items.front();
    items.erase(items.begin());
    return calls_.call(callable, items);
  }
  Cell* call_with_keywords() {
    const auto operands = pop_some(3);
    const auto* tuple = get<Tuple>(operands[1]);
    const auto* keywords = get<Dict>(operands[2]);
    if (!tuple || !keywords) arena_.fail("a call's arguments are malformed");
    arena_.charge(tuple->items.size() * PickleArena::reference_size);
    std::vector<Ref> arguments = tuple->items;
    if (!keywords->items.empty()) arguments.push_back(operands[2]);
    return calls_.call(operands[0], arguments);
  }
  Cell* text(Cell* cell, const char* what) {
    if (!get<std::string>(cell)) arena_.fail(std::string(what) + " is no text");
    return cell;
  }
  Cell* stack_global() {
    const Cell *name = text(pop(), "a class's name"), *module = text(pop(), "a module's name");
    return calls_.global(*get<std::string>(module), *get<std::string>(name));
  }

  // Little-endian two's complement. What does not fit into 64 bits stays an object with its bytes.
  Cell* long_integer(std::string_view bytes) {
    if (bytes.size() > sizeof(std::int64_t)) {
      Cell* digits = arena_.make_bytes(std::string(bytes));
      return arena_.make(Object{"builtins.int", {digits}, nullptr, {}, {}});
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    if (!bytes.empty() && bytes.size() < 8 && (bytes.back() & 0x80)) value |= ~std::uint64_t{0} << (8 * bytes.size());
    return arena_.make(static_cast<std::int64_t>(value));
  }
  Cell* integer_line(bool is_long) {
    std::string_view digits = line();
    if (!is_long && (digits == "00" || digits == "01")) return arena_.boolean(digits == "01");
    if (is_long && digits.ends_with('L')) digits.remove_suffix(1);
    const auto value = parse_int(digits);
    if (!value) arena_.fail("an integer is malformed or larger than 64 bits");
    return arena_.make(*value);
  }
  Cell* required(std::optional<std::string> value) {
    if (!value) arena_.fail("a text is malformed");
    return arena_.make_string(*value);
  }
  std::uint64_t signed_length() {
    const auto length = number<std::int32_t>();
    if (length < 0) arena_.fail("a length is negative: " + std::to_string(length));
    return static_cast<std::uint64_t>(length);
  }

  // What picklers write:
  void step(std::uint8_t code);  // protocol, frames, whole values
  void step_container(std::uint8_t code);
  void step_stack(std::uint8_t code);  // and the memo
  void step_call(std::uint8_t code);   // objects of classes, and what stands outside the pickle
  void step_old(std::uint8_t code);  // what protocols 2 to 5 inherit and hardly any pickler writes, and what is refused

  std::string_view pickle_;
  std::size_t at_ = 0;
  PickleArena& arena_;
  PickleCalls calls_;
  std::vector<Cell*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Cell*> memo_;
  std::size_t memoized_ = 0;
  Ref result_ = nullptr;
  bool done_ = false;
};

}  // namespace tradewind::checkpoint
