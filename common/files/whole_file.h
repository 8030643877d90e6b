// The one way to write a file whole or not at all: beside its name, under a name that nobody can foresee and that was
// not there before, then renamed. The folder is held by descriptor and no link at the file's name is followed: it is
// replaced. A device or a pipe (/dev/null, /dev/stdout, a FIFO) is written in order, under its own name.
// One thread. Errors: EnvironmentFault naming the path.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/files/descriptor.h"
#include "common/files/folder.h"

namespace tradewind {

struct WholeFileOptions {
  std::string what = "the file";  // for errors: "cannot create the report"
  std::string remedy = "give a path in a folder that can be written";
  mode_t mode = 0666;       // less the umask
  bool own_folder = false;  // the folder must be this user's alone (folder.h)
  bool sync = false;        // on disk before it gets its name, and the name too
};

class WholeFile {
 public:
  explicit WholeFile(std::string path, WholeFileOptions options = {});
  ~WholeFile();  // without publish(): nothing is left
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void write(const void* bytes, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void publish();

 private:
  void open_in_order();
  [[noreturn]] void fail(const char* doing, int code) const;

  std::string path_;
  WholeFileOptions options_;
  std::optional<Folder> folder_;  // none: written in order
  std::string name_, beside_;
  Descriptor file_;
};

void write_whole(const std::string& path, std::string_view text, WholeFileOptions options = {});

// Whether the file could be written now, found by beginning it and leaving nothing. EnvironmentFault when not.
void try_whole(const std::string& path, WholeFileOptions options = {});

// Opens for appending, as a file of one's own, with no link followed; made when it is not there. Invalid when it cannot
// (errno).
Descriptor open_log(const Folder& folder, const std::string& name);

}  // namespace tradewind
