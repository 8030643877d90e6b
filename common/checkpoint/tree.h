// The object tree of a checkpoint and typed access to it. A Node is a value together with its path, so that every error
// can name the place: "model.encoder.0.proc.lin_query.weight". Attribute look-up goes through what Python would see: an
// object's state dict, and for modules also _parameters, _buffers and _modules. Cheap to copy; valid as long as the
// Tree. Errors: UserError with file and path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/archive/archive.h"
#include "common/checkpoint/value.h"

namespace tradewind::checkpoint {

class Node {
 public:
  // omegaconf's DictConfig, ListConfig and value nodes are replaced by what they hold. `file` names the checkpoint in
  // errors and must live as long as the node.
  explicit Node(Ref value, std::string path = {}, const std::string* file = nullptr);
  const Value& value() const { return *value_; }
  const std::string& path() const { return path_; }
  bool is_none() const;
  // Full class name of an object ("anemoi.models.layers.mlp.MLP"), name of a Global; empty for plain values.
  std::string class_name() const;

  bool has(std::string_view name) const;  // attribute, module, parameter, buffer or string key
  std::optional<Node> find(std::string_view name) const;
  Node at(std::string_view name) const;      // throws naming path, name and what is there
  Node walk(std::string_view dotted) const;  // at() along "a.b.c"
  std::vector<Node> items() const;           // of a list, tuple, set, ModuleList or Sequential, ListConfig
  std::vector<std::pair<std::string, Node>> entries()
      const;  // of a dict, ModuleDict, DictConfig (string keys), in order

  bool as_bool() const;
  std::int64_t as_int() const;
  double as_double() const;  // int, float, 0-dimensional tensor or numpy scalar
  const std::string& as_string() const;
  const SparseDescriptor& as_sparse() const;
  const TensorDescriptor& as_tensor() const;  // torch tensors and parameters, numpy arrays (their bytes, little-endian)

 private:
  Node child(Ref value, std::string_view name) const;
  std::string where() const;
  [[noreturn]] void mismatch(const char* wanted) const;

  Ref value_;
  std::string path_;
  const std::string* file_;
};

// Owns the arena of values and keeps the archive mapped.
class Tree {
 public:
  // Reads <root>/data.pkl. limits are fixed: nesting 1000, 4 million values, 1 GiB.
  static std::shared_ptr<const Tree> read(std::shared_ptr<const archive::Archive> archive);
  // For tests and the fuzzer: a bare pickle whose storages are looked up in `archive` (which may be null).
  static std::shared_ptr<const Tree> read_pickle(std::string_view pickle,
                                                 std::shared_ptr<const archive::Archive> archive);
  virtual ~Tree() = default;
  virtual Node root() const = 0;
  virtual const std::shared_ptr<const archive::Archive>& archive() const = 0;
  // What the tensors lie in, beside the archive: who holds both may let the tree go.
  virtual std::shared_ptr<const void> contents() const = 0;
};

}  // namespace tradewind::checkpoint
