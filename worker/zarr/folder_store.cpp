// A store that is a folder.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/errors.h"
#include "common/files/descriptor.h"
#include "worker/zarr/store.h"

namespace tradewind::zarr {
namespace {

bool same(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

class FileInFolder : public StoredFile {
 public:
  FileInFolder(Descriptor file, const struct stat& status, std::string where)
      : file_(std::move(file)), status_(status), where_(std::move(where)) {}
  std::int64_t size() const override { return status_.st_size; }
  const std::string& where() const override { return where_; }

  void read(std::int64_t offset, std::span<std::byte> to) const override {
    const auto wanted = static_cast<std::int64_t>(to.size());
    if (offset < 0 || offset > size() || wanted > size() - offset)
      throw UserError("the file has " + std::to_string(size()) + " bytes, which is too few", where_,
                      "the store is damaged; fetch it again");
    while (!to.empty()) {
      const ssize_t got = ::pread(file_.get(), to.data(), std::min<std::size_t>(to.size(), 1U << 30), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw EnvironmentFault(std::string("cannot read the file: ") + std::strerror(errno), where_);
      if (got == 0) changed();
      offset += got;
      to = to.subspan(static_cast<std::size_t>(got));
    }
    struct stat now {};
    if (::fstat(file_.get(), &now) != 0 || now.st_size != status_.st_size || !same(now.st_mtim, status_.st_mtim))
      changed();
  }

 private:
  [[noreturn]] void changed() const {
    throw UserError("the file changed while it was read", where_, "run the forecast when the store is complete");
  }

  Descriptor file_;
  struct stat status_;
  std::string where_;
};

class FolderStore : public Store {
 public:
  FolderStore(std::string path, Descriptor folder) : path_(std::move(path)), folder_(std::move(folder)) {}
  const std::string& path() const override { return path_; }

  std::unique_ptr<StoredFile> find(const std::string& name) const override {
    const std::string where = path_ + "/" + name;
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    Descriptor file(::openat(folder_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid() && errno == ENOENT) return nullptr;
    if (!file.valid()) throw UserError(std::string("cannot open the file: ") + std::strerror(errno), where);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0)
      throw UserError(std::string("cannot look at the file: ") + std::strerror(errno), where);
    if (!S_ISREG(status.st_mode)) throw UserError("not a regular file", where, "the store is damaged; fetch it again");
    return std::make_unique<FileInFolder>(std::move(file), status, where);
  }

 private:
  std::string path_;
  Descriptor folder_;
};

}  // namespace

std::shared_ptr<const Store> open_folder(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid())
    throw UserError(std::string("the zarr store cannot be opened: ") + std::strerror(errno), path, "check the path");
  return std::make_shared<FolderStore>(path, std::move(folder));
}

}  // namespace tradewind::zarr
