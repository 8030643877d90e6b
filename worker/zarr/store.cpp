#include "worker/zarr/store.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "common/errors.h"

namespace tradewind::zarr {

std::shared_ptr<const Store> Store::open(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    throw UserError(std::string("the zarr store cannot be opened: ") + std::strerror(errno), path, "check the path");
  if (S_ISDIR(status.st_mode)) return open_folder(path);
  if (path.ends_with(".zip")) return open_zip(path);
  throw UserError("a zarr store is a folder, or a zip file whose name ends in .zip", path, "check the path");
}

std::optional<std::string> Store::text(const std::string& name, std::int64_t limit) const {
  const auto file = find(name);
  if (!file) return std::nullopt;
  if (file->size() > limit)
    throw UserError("the file has " + std::to_string(file->size()) + " bytes, more than the " + std::to_string(limit) +
                        " that metadata may take",
                    file->where(), "check the store");
  std::string text(static_cast<std::size_t>(file->size()), '\0');
  file->read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace tradewind::zarr
