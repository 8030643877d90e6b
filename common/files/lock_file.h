// One process at a time: a lock file that tells who holds it. The lock is the kernel's (an open file description lock,
// which NFSv4 keeps between hosts, too) and goes with its holder, however that ends; the file is removed with the lock,
// and one that a killed holder has left is no obstacle. Where the file system keeps no locks, kept() says so and nobody
// is kept out.
// A run's launcher holds a part of the lock from the start, and the worker that writes the other, so that neither a
// launcher that is quicker to write nor one that has lost its launcher is overlooked. They know each other by their
// words. Movable. One thread.
#pragma once

#include <optional>
#include <string>

#include "common/files/descriptor.h"

namespace tradewind {

enum class LockPart { all, run, writer };

// Who this process is: "process 12 on host a since ...".
std::string words_of_process();

class LockFile {
 public:
  LockFile() = default;
  // `words`: of the run, for others to read, and by which its writer knows that the run's part is held for it.
  // Errors: UserError "`what` is held by process 12 on host a since ..." with `remedy` when another holds it;
  // EnvironmentFault when the file cannot be made. The folder must be there.
  static LockFile take(const std::string& path, const std::string& what, const std::string& remedy,
                       LockPart part = LockPart::all, const std::string& words = words_of_process());
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

  bool kept() const { return kept_; }

 private:
  void settle(LockPart part, const std::string& what, const std::string& remedy, const std::string& words);
  void release();

  std::string path_;
  Descriptor file_;
  bool kept_ = false;
};

// Who holds the lock now: "process 12 on host a since ..."; nobody, also when there is no such file. Takes nothing.
std::optional<std::string> holder_of_lock(const std::string& path);
// The error of a lock that is held, as take() throws it, if one is.
void refuse_if_held(const std::string& path, const std::string& what, const std::string& remedy);

}  // namespace tradewind
