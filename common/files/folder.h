// A folder held by descriptor: what is opened in it lies in it, whatever becomes of its name meanwhile.
// Movable. Thread-safe for const use.
#pragma once

#include <string>

#include "common/files/descriptor.h"

namespace tradewind {

struct PathParts {
  std::string folder;  // "." when the path has none
  std::string name;
};
PathParts parts_of(const std::string& path);
// What the links at the path's end point at, also while it is not there: the file that is meant.
std::string target_of_links(const std::string& path);

// What stands at the path's end, a link not followed, for whom it is and who may write. Why a folder is not this user's
// alone; empty: it is, or it is not there. A link that the user made himself is followed where `own_links` says so.
std::string why_not_own_folder(const std::string& path, bool own_links = false);

class Folder {
 public:
  // EnvironmentFault naming the path.
  static Folder open(const std::string& path);
  // One that belongs to this user and that nobody else may write to: where only its group may, that is taken from it. A
  // link at its end is not followed, but for one that the user made himself where `own_links` says so. EnvironmentFault
  // saying whose it is.
  static Folder open_own(const std::string& path, bool own_links = false);
  // The same, made with mode 0700 when it is not there; its parent must be.
  static Folder make_own(const std::string& path, bool own_links = false);

  int get() const { return descriptor_.get(); }
  const std::string& path() const { return path_; }
  bool closed_to_group() const { return closed_to_group_; }  // its group could write to it until now

 private:
  void close_to_group();
  Folder(std::string path, Descriptor descriptor) : path_(std::move(path)), descriptor_(std::move(descriptor)) {}
  std::string path_;
  Descriptor descriptor_;
  bool closed_to_group_ = false;
};

}  // namespace tradewind
