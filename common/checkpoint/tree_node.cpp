#include <array>
#include <charconv>

#include "common/checkpoint/tree.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::array<std::string_view, 3> module_containers = {"_parameters", "_buffers", "_modules"};
constexpr std::size_t max_wrappers = 8, listed_names = 20;

template <class T>
const T* get(Ref value) {
  return value ? std::get_if<T>(&value->data) : nullptr;
}

// A key as the text by which Node knows it: strings, integers, and tuples of strings ("data,to,hidden").
std::optional<std::string> key_text(Ref key) {
  if (const auto* text = get<std::string>(key)) return *text;
  if (const auto* number = get<std::int64_t>(key)) return std::to_string(*number);
  const auto* tuple = get<Tuple>(key);
  if (!tuple || tuple->items.empty() || tuple->items.size() > 8) return std::nullopt;
  std::string joined;
  for (const Ref item : tuple->items) {
    const auto* text = get<std::string>(item);
    if (!text) return std::nullopt;
    joined += (joined.empty() ? "" : ",") + *text;
  }
  return joined;
}

using Pairs = std::vector<std::pair<Ref, Ref>>;

Ref look_up(const Pairs& items, std::string_view name) {
  for (const auto& [key, value] : items) {
    if (const auto* text = get<std::string>(key)) {
      if (*text == name) return value;
    } else if (key_text(key) == name) {
      return value;
    }
  }
  return nullptr;
}

// Attributes given by BUILD: a dict, or a pair of dicts when the class has slots.
std::vector<const Pairs*> state_dicts(const Object& object) {
  std::vector<const Pairs*> found;
  if (const auto* dict = get<Dict>(object.state)) found.push_back(&dict->items);
  if (const auto* pair = get<Tuple>(object.state); pair && pair->items.size() == 2)
    for (const Ref part : pair->items)
      if (const auto* dict = get<Dict>(part)) found.push_back(&dict->items);
  return found;
}

Ref attribute(const Object& object, std::string_view name) {
  const auto dicts = state_dicts(object);
  for (const Pairs* items : dicts)
    if (const Ref value = look_up(*items, name)) return value;
  return nullptr;
}

const Pairs* container(const Object& object, std::string_view name) {
  const auto* dict = get<Dict>(attribute(object, name));
  return dict ? &dict->items : nullptr;
}

// What omegaconf's containers and value nodes hold.
Ref unwrapped(Ref value) {
  for (std::size_t i = 0; i < max_wrappers; ++i) {
    const auto* object = get<Object>(value);
    if (!object || !object->name.starts_with("omegaconf.")) break;
    Ref inner = attribute(*object, "_content");
    if (!inner) inner = attribute(*object, "_val");
    if (!inner) break;
    value = inner;
  }
  return value;
}

std::optional<std::size_t> position(std::string_view name) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return index;
}

const std::vector<Ref>* sequence(Ref value) {
  if (const auto* list = get<List>(value)) return &list->items;
  if (const auto* tuple = get<Tuple>(value)) return &tuple->items;
  if (const auto* set = get<Set>(value)) return &set->items;
  const auto* object = get<Object>(value);
  return object && !object->list_items.empty() ? &object->list_items : nullptr;
}

std::string kind(Ref value) {
  static constexpr std::array<const char*, 14> names = {"None",    "a bool",    "an int",   "a float",        "a text",
                                                        "bytes",   "a list",    "a tuple",  "a set",          "a dict",
                                                        "a class", "an object", "a tensor", "a sparse tensor"};
  std::string text = names[value->data.index()];
  if (const auto* object = get<Object>(value)) text += " of class " + object->name;
  if (const auto* global = get<Global>(value)) text += " " + global->name;
  return text;
}

void list_names(const Pairs& items, std::vector<std::string>& names) {
  for (const auto& [key, value] : items) {
    if (names.size() > listed_names) return;
    if (auto text = key_text(key)) names.push_back(text->substr(0, 80));
  }
}

// What a look-up could have found, for its error.
std::string names_of(Ref value) {
  std::vector<std::string> names;
  if (const auto* dict = get<Dict>(value)) list_names(dict->items, names);
  if (const auto* object = get<Object>(value)) {
    for (const auto name : module_containers)
      if (const Pairs* items = container(*object, name)) list_names(*items, names);
    for (const Pairs* items : state_dicts(*object)) list_names(*items, names);
    list_names(object->dict_items, names);
  }
  std::string joined;
  for (std::size_t i = 0; i < names.size() && i < listed_names; ++i) joined += (i ? ", " : "") + names[i];
  return names.size() > listed_names ? joined + ", ..." : joined;
}

Ref look_up(Ref value, std::string_view name) {
  if (const auto* dict = get<Dict>(value)) return look_up(dict->items, name);
  if (const auto* object = get<Object>(value)) {
    if (const Ref found = attribute(*object, name)) return found;
    for (const auto part : module_containers)
      if (const Pairs* items = container(*object, part))
        if (const Ref found = look_up(*items, name)) return found;
    if (const Ref found = look_up(object->dict_items, name)) return found;
  }
  const auto* items = sequence(value);
  const auto index = items ? position(name) : std::nullopt;
  return index && *index < items->size() ? (*items)[*index] : nullptr;
}

}  // namespace

Node::Node(Ref value, std::string path, const std::string* file)
    : value_(unwrapped(value)), path_(std::move(path)), file_(file) {}

Node Node::child(Ref value, std::string_view name) const {
  return Node(value, path_.empty() ? std::string(name) : path_ + "." + std::string(name), file_);
}

std::string Node::where() const {
  const std::string object = path_.empty() ? "the top object" : path_;
  return file_ ? *file_ + ": " + object : object;
}

void Node::mismatch(const char* wanted) const {
  throw UserError("expected " + std::string(wanted) + ", found " + kind(value_), where(),
                  "the checkpoint's layout is not one that this version reads");
}

bool Node::is_none() const { return get<None>(value_) != nullptr; }

std::string Node::class_name() const {
  if (const auto* object = get<Object>(value_)) return object->name;
  if (const auto* global = get<Global>(value_)) return global->name;
  return {};
}

bool Node::has(std::string_view name) const { return look_up(value_, name) != nullptr; }

std::optional<Node> Node::find(std::string_view name) const {
  const Ref found = look_up(value_, name);
  if (!found) return std::nullopt;
  return child(found, name);
}

Node Node::at(std::string_view name) const {
  if (auto found = find(name)) return *std::move(found);
  const std::string names = names_of(value_);
  throw UserError(kind(value_) + " has no '" + std::string(name) + "'" + (names.empty() ? "" : "; it has " + names),
                  where(), "the checkpoint's layout is not one that this version reads");
}

Node Node::walk(std::string_view dotted) const {
  Node node = *this;
  while (!dotted.empty()) {
    const std::size_t dot = dotted.find('.');
    node = node.at(dotted.substr(0, dot));
    dotted = dot == std::string_view::npos ? std::string_view() : dotted.substr(dot + 1);
  }
  return node;
}

std::vector<Node> Node::items() const {
  std::vector<Node> nodes;
  if (const auto* values = sequence(value_)) {
    nodes.reserve(values->size());
    for (const Ref value : *values) nodes.push_back(child(value, std::to_string(nodes.size())));
    return nodes;
  }
  const auto* object = get<Object>(value_);
  if (!object) mismatch("a list");
  for (const auto name : {"_modules", "_parameters"}) {
    const Pairs* found = container(*object, name);
    if (!found || (found->empty() && name != std::string_view("_parameters"))) continue;
    for (const auto& [key, value] : *found) nodes.push_back(child(value, key_text(key).value_or("?")));
    return nodes;
  }
  // A list subclass without items leaves no trace of being a list.
  if (object->state || !object->dict_items.empty()) mismatch("a list");
  return nodes;
}

std::vector<std::pair<std::string, Node>> Node::entries() const {
  const Pairs* found = nullptr;
  if (const auto* dict = get<Dict>(value_)) found = &dict->items;
  if (const auto* object = get<Object>(value_)) {
    found = &object->dict_items;
    if (found->empty())
      if (const Pairs* modules = container(*object, "_modules")) found = modules;
  }
  if (!found) mismatch("a dictionary");
  std::vector<std::pair<std::string, Node>> nodes;
  nodes.reserve(found->size());
  for (const auto& [key, value] : *found)
    if (auto text = key_text(key)) nodes.emplace_back(*text, child(value, *text));
  return nodes;
}

bool Node::as_bool() const {
  if (const auto* truth = get<bool>(value_)) return *truth;
  if (const auto* tensor = get<TensorDescriptor>(value_);
      tensor && tensor->dtype == ScalarType::boolean && tensor->elements() == 1)
    return to_int64(*tensor)[0] != 0;
  mismatch("a bool");
}

std::int64_t Node::as_int() const {
  if (const auto* number = get<std::int64_t>(value_)) return *number;
  if (const auto* tensor = get<TensorDescriptor>(value_); tensor && tensor->shape.empty()) return to_int64(*tensor)[0];
  mismatch("an int");
}

double Node::as_double() const {
  if (const auto* number = get<double>(value_)) return *number;
  if (const auto* number = get<std::int64_t>(value_)) return static_cast<double>(*number);
  if (const auto* tensor = get<TensorDescriptor>(value_); tensor && tensor->shape.empty()) return to_double(*tensor)[0];
  mismatch("a number");
}

const std::string& Node::as_string() const {
  if (const auto* text = get<std::string>(value_)) return *text;
  mismatch("a text");
}

const SparseDescriptor& Node::as_sparse() const {
  if (const auto* sparse = get<Sparse>(value_)) return *sparse->matrix;
  mismatch("a sparse tensor");
}

const TensorDescriptor& Node::as_tensor() const {
  if (const auto* tensor = get<TensorDescriptor>(value_)) return *tensor;
  mismatch("a tensor");
}

}  // namespace tradewind::checkpoint
