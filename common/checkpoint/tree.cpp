#include "common/checkpoint/tree.h"

#include <algorithm>
#include <array>
#include <deque>

#include "common/checkpoint/pickle.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::uint64_t max_pickle = std::uint64_t{256} << 20;
constexpr std::size_t max_label = 128, max_labels = 64;
constexpr const char* remedy = "give the inference checkpoint (inference-last.ckpt) that anemoi-training writes";

// Gives every tensor the shortest path that reaches it, for errors. Breadth first, without recursion.
class Names {
 public:
  explicit Names(PickleArena& arena) : arena_(arena) {}

  void give(Ref root) {
    visit(root, nullptr, nullptr, no_index);
    while (!queue_.empty()) {
      Cell& next = *queue_.front();
      queue_.pop_front();
      expand(next);
    }
  }

 private:
  static constexpr std::size_t no_index = ~std::size_t{0};

  void visit(Ref value, const Cell* parent, Ref key, std::size_t index) {
    Cell& found = cell(value);
    if (found.reached) return;
    found.reached = true;
    found.parent = parent;
    found.key = key;
    found.index = index;
    if (auto* tensor = get<TensorDescriptor>(&found)) {
      tensor->path = path(found);
      arena_.charge(tensor->path.size());
    } else if (auto* sparse = get<Sparse>(&found)) {
      SparseDescriptor& matrix = *sparse->matrix;
      matrix.path = path(found);
      for (auto* part : {&matrix.row_indices, &matrix.column_indices, &matrix.values}) part->path = matrix.path;
      arena_.charge(4 * matrix.path.size());
    } else {
      queue_.push_back(&found);
    }
  }

  void visit_all(const std::vector<Ref>& items, const Cell& parent) {
    for (std::size_t i = 0; i < items.size(); ++i) visit(items[i], &parent, nullptr, i);
  }
  void visit_all(const std::vector<std::pair<Ref, Ref>>& items, const Cell& parent) {
    for (const auto& [key, value] : items) visit(value, &parent, key, no_index);
  }

  void expand(Cell& from) {
    if (const auto* list = get<List>(&from)) return visit_all(list->items, from);
    if (const auto* tuple = get<Tuple>(&from)) return visit_all(tuple->items, from);
    if (const auto* set = get<Set>(&from)) return visit_all(set->items, from);
    if (const auto* dict = get<Dict>(&from)) return visit_all(dict->items, from);
    if (const auto* object = get<Object>(&from)) {
      if (object->state) visit(object->state, &from, nullptr, no_index);
      visit_all(object->dict_items, from);
      visit_all(object->list_items, from);
      visit_all(object->arguments, from);
    }
  }

  static std::string label(const Cell& from) {
    static constexpr std::array<std::string_view, 5> unseen = {"_parameters", "_buffers", "_modules", "_content",
                                                               "_val"};
    if (!from.key) return from.index == no_index ? std::string() : std::to_string(from.index);
    const auto* text = get<std::string>(from.key);
    if (!text) return "?";
    return std::find(unseen.begin(), unseen.end(), *text) == unseen.end() ? text->substr(0, max_label) : std::string();
  }

  static std::string path(const Cell& from) {
    std::vector<std::string> labels;
    for (const Cell* at = &from; at && labels.size() < max_labels; at = at->parent)
      if (std::string part = label(*at); !part.empty()) labels.push_back(std::move(part));
    std::string joined;
    for (auto part = labels.rbegin(); part != labels.rend(); ++part) joined += (joined.empty() ? "" : ".") + *part;
    return joined;
  }

  PickleArena& arena_;
  std::deque<Cell*> queue_;
};

class PickleTree : public Tree {
 public:
  PickleTree(std::string_view pickle, std::shared_ptr<const archive::Archive> archive, const std::string& folder)
      : archive_(std::move(archive)),
        file_(archive_ ? archive_->path() : "pickle"),
        arena_(pickle.size(), file_ + ": " + folder + "data.pkl"),
        storages_(std::make_shared<PickleStorages>(archive_, folder)) {
    root_ = checkpoint::read_pickle(pickle, arena_, *storages_);
    Names(arena_).give(root_);
  }

  Node root() const override { return Node(root_, {}, &file_); }
  const std::shared_ptr<const archive::Archive>& archive() const override { return archive_; }
  std::shared_ptr<const void> contents() const override { return storages_; }

 private:
  std::shared_ptr<const archive::Archive> archive_;
  std::string file_;
  PickleArena arena_;
  std::shared_ptr<PickleStorages> storages_;
  Ref root_ = nullptr;
};

// The folder of the one data.pkl, with its slash: entries added later may lie under another top folder.
std::string find_folder(const archive::Archive& archive) {
  static constexpr std::string_view name = "data.pkl";
  const std::string* found = nullptr;
  for (const archive::Entry& entry : archive.entries()) {
    if (!entry.name.ends_with(name)) continue;
    const std::size_t folder = entry.name.size() - name.size();
    if (folder > 0 && entry.name.find('/') != folder - 1) continue;
    if (found) throw UserError("the file has more than one data.pkl", archive.path(), remedy);
    found = &entry.name;
  }
  if (!found) throw UserError("the file has no data.pkl, so it is no checkpoint", archive.path(), remedy);
  return found->substr(0, found->size() - name.size());
}

}  // namespace

std::shared_ptr<const Tree> Tree::read(std::shared_ptr<const archive::Archive> archive) {
  const std::string folder = find_folder(*archive);
  if (archive->find(folder + "constants.pkl"))
    throw UserError("a TorchScript file is no checkpoint", archive->path(), remedy);
  if (const archive::Entry* order = archive->find(folder + "byteorder"); order && archive->read(*order, 64) != "little")
    throw UserError("the checkpoint is not little-endian", archive->path() + ": " + order->name,
                    "save it again on a little-endian machine");
  const archive::Entry& pickle = *archive->find(folder + "data.pkl");
  if (pickle.deflated) {
    const std::string content = archive->read(pickle, max_pickle);
    return std::make_shared<PickleTree>(content, std::move(archive), folder);
  }
  const auto mapped = archive->bytes(pickle);
  if (mapped.size() > max_pickle)
    throw UserError("the pickle is larger than " + std::to_string(max_pickle) + " bytes",
                    archive->path() + ": " + pickle.name);
  require_checksum(*archive, pickle, mapped);
  return std::make_shared<PickleTree>(std::string_view(reinterpret_cast<const char*>(mapped.data()), mapped.size()),
                                      std::move(archive), folder);
}

std::shared_ptr<const Tree> Tree::read_pickle(std::string_view pickle,
                                              std::shared_ptr<const archive::Archive> archive) {
  const std::string folder = archive ? archive->root() : std::string();
  return std::make_shared<PickleTree>(pickle, std::move(archive), folder);
}

}  // namespace tradewind::checkpoint
