// What the calls recorded in a pickle come to: a few known harmless ones become plain values or tensors, any other an
// inert Object that bears the callable's name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/checkpoint/pickle_arena.h"
#include "common/checkpoint/pickle_tensors.h"

namespace tradewind::checkpoint {

class PickleCalls {
 public:
  PickleCalls(PickleArena& arena, PickleStorages& storages) : arena_(arena), tensors_(arena, storages) {}

  // module.name, with Python 2's modules and names replaced by Python 3's.
  Cell* global(std::string_view module, std::string_view name);
  // REDUCE and NEWOBJ: callable(*arguments).
  Cell* call(Ref callable, const std::vector<Ref>& arguments);
  // BUILD: gives `target` its state. Ignored for plain containers and tensors.
  void build(Cell& target, Ref state);
  Cell* storage(Ref persistent_id) { return tensors_.storage(persistent_id); }

 private:
  Cell* object(std::string_view name, const std::vector<Ref>& arguments);
  Cell* known(std::string_view name, const std::vector<Ref>& arguments);
  Cell* container(std::string_view name, const std::vector<Ref>& arguments);
  Cell* dict(Ref source);
  Cell* encode(const std::vector<Ref>& arguments);

  PickleArena& arena_;
  PickleTensors tensors_;
};

}  // namespace tradewind::checkpoint
