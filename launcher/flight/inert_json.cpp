#include "launcher/flight/inert_json.h"

#include "common/checkpoint/pickle.h"
#include "common/errors.h"
#include "common/printable.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;
using checkpoint::Ref;

constexpr int deepest = 32;
constexpr std::size_t most_values = 4'000'000;  // shared parts count each time that they are met

class Converter {
 public:
  explicit Converter(const std::string& where) : where_(where) {}

  Json operator()(Ref value, int depth = 0) {
    if (depth > deepest) refuse("it is nested deeper than " + std::to_string(deepest) + " levels");
    if (++count_ > most_values) refuse("it holds more than " + std::to_string(most_values) + " values");
    return std::visit([&](const auto& data) { return of(data, depth); }, value->data);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw UserError("this is no dump of a flight recorder: " + why, where_, "give the files that torch has written");
  }

  Json of(const checkpoint::None&, int) { return nullptr; }
  Json of(bool value, int) { return value; }
  Json of(std::int64_t value, int) { return value; }
  Json of(double value, int) { return value; }
  Json of(const std::string& value, int) { return value; }
  Json of(const checkpoint::Bytes& value, int) { return printable_line(value.data); }
  template <class Sequence>
  Json items(const Sequence& sequence, int depth) {
    Json list = Json::array();
    for (const Ref item : sequence.items) list.push_back((*this)(item, depth + 1));
    return list;
  }
  Json of(const checkpoint::List& value, int depth) { return items(value, depth); }
  Json of(const checkpoint::Tuple& value, int depth) { return items(value, depth); }
  Json of(const checkpoint::Set& value, int depth) { return items(value, depth); }
  Json of(const checkpoint::Dict& value, int depth) {
    Json object = Json::object();
    for (const auto& [key, item] : value.items) object[name_of(key)] = (*this)(item, depth + 1);
    return object;
  }
  Json of(const checkpoint::Global& value, int) { refuse("it names " + printable_line(value.name)); }
  // torch's own pickler writes lists of one type as a call of build_intlist and the like, which is never made.
  Json of(const checkpoint::Object& value, int depth) {
    if (value.name.starts_with("torch.jit._pickle.build_") && value.arguments.size() == 1)
      return (*this)(value.arguments.front(), depth + 1);
    refuse("it calls " + printable_line(value.name));
  }
  Json of(const checkpoint::TensorDescriptor&, int) { refuse("it holds a tensor"); }
  Json of(const checkpoint::Sparse&, int) { refuse("it holds a tensor"); }

  std::string name_of(Ref key) const {
    if (const auto* text = checkpoint::get<std::string>(key)) return *text;
    if (const auto* number = checkpoint::get<std::int64_t>(key)) return std::to_string(*number);
    refuse("a key of it is no text");
  }

  const std::string& where_;
  std::size_t count_ = 0;
};

}  // namespace

Json json_of_pickle(std::string_view bytes, const std::string& where) {
  checkpoint::PickleArena arena(bytes.size(), where);
  checkpoint::PickleStorages storages(nullptr, {});  // a tensor of it lies nowhere
  return Converter(where)(checkpoint::read_pickle(bytes, arena, storages));
}

}  // namespace tradewind::launcher
