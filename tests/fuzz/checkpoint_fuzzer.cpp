// Any bytes as a checkpoint: those that begin like a zip file through the archive, others as a bare pickle beside a
// small archive of storages. Whatever is read is then visited through Node. Only UserError may come out.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/generations/describe.h"
#include "common/errors.h"
#include "tests/unit/archive/zip_builder.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::uint64_t entry_limit = 1 << 20;
constexpr std::size_t visited_limit = 2000;
constexpr std::int64_t element_limit = 100000;

// Calls every accessor; those that refuse a value's kind throw UserError.
template <class Access>
void attempt(Access access) {
  try {
    access();
  } catch (const UserError&) {
  }
}

void visit(const Node& root) {
  std::vector<Node> open = {root};
  std::set<const Value*> seen;
  while (!open.empty() && seen.size() < visited_limit) {
    const Node node = open.back();
    open.pop_back();
    if (!seen.insert(&node.value()).second) continue;
    (void)node.class_name();
    attempt([&] { (void)node.as_bool(); });
    attempt([&] { (void)node.as_int(); });
    attempt([&] { (void)node.as_double(); });
    attempt([&] { (void)node.as_string(); });
    attempt([&] {
      const TensorDescriptor& tensor = node.as_tensor();
      (void)tensor.contiguous();
      if (tensor.elements() > element_limit) return;
      (void)to_double(tensor);
      (void)to_int64(tensor);
    });
    attempt([&] {
      for (Node& item : node.items()) open.push_back(std::move(item));
    });
    attempt([&] {
      for (auto& [name, value] : node.entries()) open.push_back(std::move(value));
    });
    attempt([&] { (void)node.walk("model.encoder.0.weight"); });
    for (const char* name : {"model", "weight", "a", "processors", "_content", "graph_data"})
      if (auto found = node.find(name)) open.push_back(*std::move(found));
  }
}

void read(const std::string& bytes) {
  if (bytes.starts_with("PK")) {
    const auto archive = archive::Archive::from_bytes(bytes, "fuzzed.ckpt");
    for (const archive::Entry& entry : archive->entries()) attempt([&] { (void)archive->read(entry, entry_limit); });
    attempt([&] { (void)read_metadata(*archive); });
    const auto tree = Tree::read(archive);
    visit(tree->root());
    (void)describe(*tree);
  } else {
    static const auto storages =
        archive::Archive::from_bytes(zip_of({{"r/data/0", std::string(64, '\x3f')}}), "storages");
    visit(Tree::read_pickle(bytes, storages)->root());
  }
}

}  // namespace
}  // namespace tradewind::checkpoint

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    tradewind::checkpoint::read(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const tradewind::UserError&) {
  }
  return 0;
}
