#include "common/checkpoint/pickle_calls.h"

#include "common/checkpoint/pickle_text.h"

namespace tradewind::checkpoint {
namespace {

struct Renamed {
  std::string_view before, after;
};
constexpr Renamed modules[] = {{"__builtin__", "builtins"}, {"copy_reg", "copyreg"}, {"numpy._core", "numpy.core"}};
constexpr Renamed builtins[] = {
    {"builtins.long", "builtins.int"}, {"builtins.unicode", "builtins.str"}, {"builtins.xrange", "builtins.range"}};

const std::vector<Ref>* sequence(Ref value) {
  if (const auto* list = get<List>(value)) return &list->items;
  if (const auto* tuple = get<Tuple>(value)) return &tuple->items;
  if (const auto* set = get<Set>(value)) return &set->items;
  return nullptr;
}

std::string_view callable_name(Ref callable) {
  if (const auto* global = get<Global>(callable)) return global->name;
  if (const auto* object = get<Object>(callable)) return object->name;
  return {};
}

bool ends_numpy(std::string_view name, std::string_view function) {
  return name.starts_with("numpy.core.") && name.ends_with(function);
}

}  // namespace

Cell* PickleCalls::global(std::string_view module, std::string_view name) {
  if (module.size() + name.size() > PickleArena::max_name) arena_.fail("a class has too long a name");
  std::string full(module);
  for (const auto& [before, after] : modules)
    if (full.starts_with(before) && (full.size() == before.size() || full[before.size()] == '.'))
      full.replace(0, before.size(), after);
  full.append(".").append(name);
  for (const auto& [before, after] : builtins)
    if (full == before) full = after;
  arena_.charge(full.size());
  return arena_.make(Global{std::move(full)});
}

Cell* PickleCalls::object(std::string_view name, const std::vector<Ref>& arguments) {
  arena_.charge(name.size() + arguments.size() * PickleArena::reference_size);
  Cell* cell = arena_.make(Object{std::string(name), arguments, nullptr, {}, {}});
  for (const Ref argument : arguments) arena_.nest(*cell, checkpoint::cell(argument));
  return cell;
}

Cell* PickleCalls::call(Ref callable, const std::vector<Ref>& arguments) {
  const std::string_view name = callable_name(callable);
  if (name.empty()) arena_.fail("something that is not callable is called");
  if (get<Global>(callable))
    if (Cell* value = known(name, arguments)) return value;
  return object(name, arguments);
}

Cell* PickleCalls::known(std::string_view name, const std::vector<Ref>& arguments) {
  if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor")
    return tensors_.torch_tensor(arguments, false);
  if (name == "torch._utils._rebuild_tensor_v3") return tensors_.torch_tensor(arguments, true);
  if (name == "torch._utils._rebuild_parameter" || name == "torch._utils._rebuild_parameter_with_state")
    return !arguments.empty() && (get<TensorDescriptor>(arguments[0]) || get<Sparse>(arguments[0]))
               ? &cell(arguments[0])
               : nullptr;
  if (name == "torch._utils._rebuild_sparse_tensor") return tensors_.sparse_tensor(arguments);
  if (name == "torch._tensor._rebuild_from_type_v2" && arguments.size() == 4) {
    const auto* inner = get<Tuple>(arguments[2]);
    const auto* function = get<Global>(arguments[0]);
    // One level only: a tensor subclass wraps a plain tensor.
    if (!inner || !function || function->name == name) return nullptr;
    Cell* tensor = known(function->name, inner->items);
    return get<TensorDescriptor>(tensor) ? tensor : nullptr;
  }
  if (ends_numpy(name, ".scalar")) return tensors_.numpy_scalar(arguments);
  if (ends_numpy(name, "._frombuffer")) return tensors_.numpy_buffer(arguments);
  if (name == "_codecs.encode") return encode(arguments);
  if (name == "copyreg._reconstructor" && !arguments.empty()) {
    const auto* type = get<Global>(arguments[0]);
    if (!type) return nullptr;
    Cell* instance = object(type->name, {});
    if (const auto* base = arguments.size() == 3 ? get<Dict>(arguments[2]) : nullptr) {
      arena_.charge(base->items.size() * sizeof(base->items[0]));
      get<Object>(instance)->dict_items = base->items;
      arena_.nest(*instance, cell(arguments[2]));
    }
    return instance;
  }
  return container(name, arguments);
}

Cell* PickleCalls::container(std::string_view name, const std::vector<Ref>& arguments) {
  if (name == "collections.defaultdict") return dict(arguments.size() > 1 ? arguments[1] : nullptr);
  if (arguments.size() > 1) return nullptr;
  const Ref source = arguments.empty() ? nullptr : arguments[0];
  if (name == "collections.OrderedDict" || name == "builtins.dict") return dict(source);
  if (name == "builtins.bytes" && !source) return arena_.make_bytes({});
  if (name == "builtins.bytearray" && (!source || get<Bytes>(source)))
    return arena_.make_bytes(source ? get<Bytes>(source)->data : std::string());
  if (name == "builtins.int" && get<std::int64_t>(source)) return &cell(source);

  const auto* items = source ? sequence(source) : nullptr;
  if (source && !items) return nullptr;
  const auto filled = [&](auto empty) {
    if (items) {
      arena_.charge(items->size() * PickleArena::reference_size);
      empty.items = *items;
    }
    Cell* value = arena_.make(std::move(empty));
    if (source) value->depth = cell(source).depth;
    return value;
  };
  if (name == "builtins.list") return filled(List{});
  if (name == "builtins.tuple" || name == "torch.Size") return filled(Tuple{});
  if (name == "builtins.set" || name == "builtins.frozenset") return filled(Set{});
  return nullptr;
}

Cell* PickleCalls::dict(Ref source) {
  Dict dict;
  std::uint32_t depth = 0;
  if (source) depth = cell(source).depth;
  if (const auto* other = get<Dict>(source)) {
    arena_.charge(other->items.size() * sizeof(other->items[0]));
    dict.items = other->items;
  } else if (const auto* pairs = source ? sequence(source) : nullptr) {
    arena_.charge(pairs->size() * sizeof(dict.items[0]));
    dict.items.reserve(pairs->size());
    for (const Ref pair : *pairs) {
      const auto* items = sequence(pair);
      if (!items || items->size() != 2) return nullptr;
      dict.items.emplace_back((*items)[0], (*items)[1]);
    }
  } else if (source) {
    return nullptr;
  }
  Cell* value = arena_.make(std::move(dict));
  value->depth = depth;
  return value;
}

Cell* PickleCalls::encode(const std::vector<Ref>& arguments) {
  const auto* text = arguments.size() == 2 ? get<std::string>(arguments[0]) : nullptr;
  const auto* encoding = text ? get<std::string>(arguments[1]) : nullptr;
  if (!encoding || (*encoding != "latin1" && *encoding != "latin-1")) return nullptr;
  arena_.charge(text->size());  // before the copy is made, not after
  auto bytes = latin1_bytes(*text);
  if (!bytes) arena_.fail("a text to be read as Latin-1 has other characters");
  return arena_.make(Bytes{std::move(*bytes)});
}

void PickleCalls::build(Cell& target, Ref state) {
  if (auto* object = get<Object>(&target)) {
    if (object->state) arena_.fail("an object is given its state twice");
    object->state = state;
    arena_.nest(target, cell(state));
    if (ends_numpy(object->name, "._reconstruct")) tensors_.numpy_state(target, state);
    return;
  }
  const bool ignored = get<Dict>(&target) || get<List>(&target) || get<Set>(&target) || get<Tuple>(&target) ||
                       get<TensorDescriptor>(&target) || get<Sparse>(&target);
  if (!ignored) arena_.fail("a state is given to something that has none");
}

}  // namespace tradewind::checkpoint
