#include "common/checkpoint/pickle.h"

#include <bit>

#include "common/checkpoint/pickle_machine.h"

namespace tradewind::checkpoint {

// Opcodes as named in Python's pickletools. Each step knows a part of them and leaves the others to the next.
void PickleMachine::step(std::uint8_t code) {
  switch (code) {
    case 0x80: {  // PROTO
      const int protocol = number<std::uint8_t>();
      if (protocol < 2 || protocol > 5)
        arena_.fail("pickle protocol " + std::to_string(protocol) + " is not supported");
      return;
    }
    case '.':  // STOP
      result_ = pop();
      done_ = true;
      return;
    case 0x95: {  // FRAME
      const auto size = number<std::uint64_t>();
      if (size > pickle_.size() - at_) arena_.fail("a frame of the pickle ends beyond it");
      return;
    }
    case 'N':  // NONE
      return push(arena_.none());
    case 0x88:  // NEWTRUE
      return push(arena_.boolean(true));
    case 0x89:  // NEWFALSE
      return push(arena_.boolean(false));
    case 'J':  // BININT
      return push(arena_.make(static_cast<std::int64_t>(number<std::int32_t>())));
    case 'K':  // BININT1
      return push(arena_.make(static_cast<std::int64_t>(number<std::uint8_t>())));
    case 'M':  // BININT2
      return push(arena_.make(static_cast<std::int64_t>(number<std::uint16_t>())));
    case 0x8a:  // LONG1
      return push(long_integer(take(number<std::uint8_t>())));
    case 0x8b:  // LONG4
      return push(long_integer(take(signed_length())));
    case 'G':  // BINFLOAT
      return push(arena_.make(std::bit_cast<double>(__builtin_bswap64(number<std::uint64_t>()))));
    case 'X':  // BINUNICODE
      return push(arena_.make_string(take(number<std::uint32_t>())));
    case 0x8c:  // SHORT_BINUNICODE
      return push(arena_.make_string(take(number<std::uint8_t>())));
    case 0x8d:  // BINUNICODE8
      return push(arena_.make_string(take(number<std::uint64_t>())));
    case 'T':  // BINSTRING
      return push(arena_.make_string(take(signed_length())));
    case 'U':  // SHORT_BINSTRING
      return push(arena_.make_string(take(number<std::uint8_t>())));
    case 'B':  // BINBYTES
      return push(arena_.make_bytes(std::string(take(number<std::uint32_t>()))));
    case 'C':  // SHORT_BINBYTES
      return push(arena_.make_bytes(std::string(take(number<std::uint8_t>()))));
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      return push(arena_.make_bytes(std::string(take(number<std::uint64_t>()))));
    default:
      step_container(code);
  }
}

void PickleMachine::step_container(std::uint8_t code) {
  switch (code) {
    case ']':  // EMPTY_LIST
      return push(arena_.make(List{}));
    case ')':  // EMPTY_TUPLE
      return push(arena_.make(Tuple{}));
    case '}':  // EMPTY_DICT
      return push(arena_.make(Dict{}));
    case 0x8f:  // EMPTY_SET
      return push(arena_.make(Set{}));
    case 0x85:  // TUPLE1
    case 0x86:  // TUPLE2
    case 0x87:  // TUPLE3
      return push(sequence<Tuple>(pop_some(code - 0x84u)));
    case 't':  // TUPLE
      return push(sequence<Tuple>(pop_mark()));
    case 0x91:  // FROZENSET
      return push(sequence<Set>(pop_mark()));
    case 'a': {  // APPEND
      const auto item = pop_some(1);
      return append(*top(), item);
    }
    case 'e':     // APPENDS
    case 0x90: {  // ADDITEMS
      const auto items = pop_mark();
      return append(*top(), items);
    }
    case 's': {  // SETITEM
      const auto pair = pop_some(2);
      return set_items(*top(), pair);
    }
    case 'u': {  // SETITEMS
      const auto items = pop_mark();
      return set_items(*top(), items);
    }
    default:
      step_stack(code);
  }
}

void PickleMachine::step_stack(std::uint8_t code) {
  switch (code) {
    case '(':  // MARK
      return mark();
    case '0':  // POP: takes the mark when it is on top
      if (!marks_.empty() && stack_.size() == marks_.back())
        marks_.pop_back();
      else
        pop();
      return;
    case '1':  // POP_MARK
      pop_mark();
      return;
    case '2':  // DUP
      return push(top());
    case 'h':  // BINGET
      return push(recall(number<std::uint8_t>()));
    case 'j':  // LONG_BINGET
      return push(recall(number<std::uint32_t>()));
    case 'q':  // BINPUT
      return put(number<std::uint8_t>());
    case 'r':  // LONG_BINPUT
      return put(number<std::uint32_t>());
    case 0x94:  // MEMOIZE
      return put(memoized_);
    default:
      step_call(code);
  }
}

void PickleMachine::step_call(std::uint8_t code) {
  switch (code) {
    case 'c': {  // GLOBAL
      const auto module = line();
      return push(calls_.global(module, line()));
    }
    case 0x93:  // STACK_GLOBAL
      return push(stack_global());
    case 'R':     // REDUCE
    case 0x81: {  // NEWOBJ
      const auto operands = pop_some(2);
      return push(call(operands[0], operands[1]));
    }
    case 0x92:  // NEWOBJ_EX
      return push(call_with_keywords());
    case 'b': {  // BUILD
      const Ref state = pop();
      return calls_.build(*top(), state);
    }
    case 'Q':  // BINPERSID
      return push(calls_.storage(pop()));
    default:
      step_old(code);
  }
}

void PickleMachine::step_old(std::uint8_t code) {
  switch (code) {
    case 'I':  // INT
      return push(integer_line(false));
    case 'L':  // LONG
      return push(integer_line(true));
    case 'F': {  // FLOAT
      const auto value = parse_float(line());
      if (!value) arena_.fail("a number is malformed");
      return push(arena_.make(*value));
    }
    case 'S':  // STRING
      return push(required(unquote(line())));
    case 'V':  // UNICODE
      return push(required(raw_unicode(line())));
    case 'g':  // GET
      return push(recall(line_index()));
    case 'p':  // PUT
      return put(line_index());
    case 'l':  // LIST
      return push(sequence<List>(pop_mark()));
    case 'd': {  // DICT
      const auto items = pop_mark();
      Cell* dict = arena_.make(Dict{});
      set_items(*dict, items);
      return push(dict);
    }
    case 'o':  // OBJ
      return push(call_first(pop_mark()));
    case 'i': {  // INST
      const auto module = line();
      auto items = pop_mark();
      items.insert(items.begin(), calls_.global(module, line()));
      return push(call_first(std::move(items)));
    }
    case 0x82:  // EXT1
    case 0x83:  // EXT2
    case 0x84:  // EXT4
      arena_.fail("extension codes of the pickle are not supported");
    case 0x97:  // NEXT_BUFFER
    case 0x98:  // READONLY_BUFFER
      arena_.fail("out-of-band buffers of the pickle are not supported");
    case 'P':  // PERSID
      arena_.fail("text persistent ids of the pickle are not supported");
    default:
      arena_.fail("unknown opcode " + std::to_string(code) + " in the pickle");
  }
}

Ref read_pickle(std::string_view pickle, PickleArena& arena, PickleStorages& storages) {
  const Ref root = PickleMachine(pickle, arena, storages).run();
  for (Cell& cell : arena.cells()) {
    if (auto* dict = get<Dict>(&cell)) keep_last_values(dict->items);
    if (auto* object = get<Object>(&cell)) keep_last_values(object->dict_items);
  }
  return root;
}

}  // namespace tradewind::checkpoint
