#include "common/files/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "common/dates.h"
#include "common/errors.h"

namespace tradewind {
namespace {

constexpr int most_tries = 100;
constexpr int most_pauses = 25;
constexpr auto pause = std::chrono::milliseconds(20);
constexpr const char* first_word = "process ";

// What the holder has written; somebody else may have written anything.
std::string told_by(int file) {
  std::array<char, 512> bytes{};
  const ssize_t got = ::pread(file, bytes.data(), bytes.size(), 0);
  std::string text(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  text = text.substr(0, text.find('\n'));
  for (char& letter : text)
    if (letter < ' ' || letter > '~') letter = '?';
  return text.empty() ? "a process that has not told its name" : text;
}

struct flock lock_of(LockPart part) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = part == LockPart::writer ? 1 : 0;
  lock.l_len = part == LockPart::all ? 2 : 1;
  return lock;
}

bool lock(int file, LockPart part) {
  struct flock wanted = lock_of(part);
  return ::fcntl(file, F_OFD_SETLK, &wanted) == 0;
}

enum class Held { free, by_another, by_a_reader, unknown };

// A lock for reading is none of ours: whoever may read the file could have taken it.
Held held(int file, LockPart part = LockPart::all) {
  struct flock lock = lock_of(part);
  if (::fcntl(file, F_OFD_GETLK, &lock) != 0) return Held::unknown;
  return lock.l_type == F_UNLCK ? Held::free : lock.l_type == F_RDLCK ? Held::by_a_reader : Held::by_another;
}

bool is_still_at(int file, const std::string& path) {
  struct stat own {
  }, there{};
  return ::fstat(file, &own) == 0 && ::lstat(path.c_str(), &there) == 0 && own.st_dev == there.st_dev &&
         own.st_ino == there.st_ino;
}

[[noreturn]] void refuse(const std::string& what, const std::string& path, const std::string& holder,
                         const std::string& remedy) {
  throw UserError(what + " is held by another run: " + holder, path, remedy);
}

[[noreturn]] void fault(const std::string& path, int code) {
  const bool full = code == ENOSPC || code == EDQUOT;
  throw EnvironmentFault(std::string("cannot make the lock file: ") + std::strerror(code), path,
                         full ? "make room there, or write elsewhere"
                         : code == ENAMETOOLONG
                             ? "give a shorter name"
                             : "write to a folder of your own, or remove the file if no run uses it");
}

[[noreturn]] void taken(const std::string& path) {
  throw EnvironmentFault("something that is no lock file has the lock file's name", path,
                         "move it away, or write under another name");
}

// Empty when its holder was killed before it could tell.
bool is_lock_file(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1) return false;
  return status.st_size == 0 || told_by(file).starts_with(first_word);
}

// An empty file may also be one that flock(1) has made, whose lock is none of ours to see; over NFS it is one of ours.
// Asked through an open file of its own: to give back its lock there is to leave ours alone.
bool is_held_by_flock(const std::string& path, int file) {
  constexpr long nfs = 0x6969;
  struct stat status {};
  struct statfs system {};
  if (::fstat(file, &status) != 0 || status.st_size > 0) return false;
  if (::fstatfs(file, &system) != 0 || system.f_type == nfs) return false;
  const Descriptor own(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return own.valid() && is_still_at(own.get(), path) && ::flock(own.get(), LOCK_SH | LOCK_NB) != 0 &&
         errno == EWOULDBLOCK;
}

void require_lock_file(const std::string& path, int file) {
  if (!is_lock_file(file)) taken(path);
  if (is_held_by_flock(path, file))
    throw EnvironmentFault("another program holds this file by flock, which has the lock file's name", path,
                           "let it lock a file of another name, or write under another name");
}

bool has_told(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 && status.st_size > 0;
}

// The file of whoever has left it, a new one otherwise. Invalid when it has just changed.
Descriptor open_or_make(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.valid()) {
    require_lock_file(path, file.get());
    return file;
  }
  if (errno == ENOENT) {
    file = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file.valid() && errno != EEXIST) fault(path, errno);
    return file;
  }
  if (errno == ELOOP || errno == EISDIR || errno == ENXIO) taken(path);
  if (errno != EACCES) fault(path, errno);
  // Another user's: held by his run, or left by it.
  file = Descriptor(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) fault(path, errno);
  require_lock_file(path, file.get());
  if (held(file.get()) == Held::by_another) return file;  // cannot be locked, which tells the rest
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fault(path, errno);
  return {};
}

}  // namespace

std::string words_of_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return first_word + std::to_string(::getpid()) + " on host " + host.data() + " since " + iso_date(now) + " UTC";
}

LockFile LockFile::take(const std::string& path, const std::string& what, const std::string& remedy, LockPart part,
                        const std::string& words) {
  LockFile taken;
  for (int tries = 0; tries < most_tries; ++tries) {
    Descriptor file = open_or_make(path);
    if (!file.valid()) continue;
    taken.kept_ = lock(file.get(), part);
    const int code = taken.kept_ ? 0 : errno;
    if (code == EAGAIN || code == EACCES || code == EBADF) {
      const Held by = held(file.get(), part);
      const bool told = has_told(file.get());  // who has just taken it tells his name next
      const std::string holder = told_by(file.get());
      if (by == Held::by_a_reader && is_still_at(file.get(), path)) ::unlink(path.c_str());
      if (by == Held::by_another && (tries > most_pauses || (told && (part != LockPart::writer || holder != words))))
        refuse(what, path, holder, remedy);
      // A writer whose run holds the rest meets another only for the moment that it takes to be refused.
      if (by == Held::by_another) std::this_thread::sleep_for(pause);
      continue;
    }
    // Who held it before may have removed the file between opening and locking: the lock would be nobody's.
    if (!is_still_at(file.get(), path)) continue;
    taken.path_ = path;
    taken.file_ = std::move(file);
    taken.settle(part, what, remedy, words);
    return taken;
  }
  throw EnvironmentFault("cannot take the lock: others take and leave it all the time", path, remedy);
}

// The other part may be another run's, or the same run's.
void LockFile::settle(LockPart part, const std::string& what, const std::string& remedy, const std::string& words) {
  const std::string before = told_by(file_.get());
  if (part == LockPart::run && held(file_.get(), LockPart::writer) == Held::by_another)
    refuse(what, path_, before, remedy);
  if (part == LockPart::writer && kept_ && !lock(file_.get(), LockPart::run)) {
    if (before != words) refuse(what, path_, before, remedy);
    return;
  }
  const std::string line = words + "\n";
  const bool told = ::ftruncate(file_.get(), 0) == 0 &&
                    ::pwrite(file_.get(), line.data(), line.size(), 0) == static_cast<ssize_t>(line.size());
  static_cast<void>(told);  // on a full disk the lock holds all the same
}

LockFile::LockFile(LockFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)), kept_(std::exchange(other.kept_, false)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  if (this != &other) {
    release();
    path_ = std::exchange(other.path_, {});
    file_ = std::move(other.file_);
    kept_ = std::exchange(other.kept_, false);
  }
  return *this;
}

LockFile::~LockFile() { release(); }

void LockFile::release() {
  if (!file_.valid()) return;
  // Only while all of it is held: nobody can have taken what is removed. Else the other part's holder removes it.
  if ((!kept_ || lock(file_.get(), LockPart::all)) && is_still_at(file_.get(), path_)) ::unlink(path_.c_str());
  file_.reset();
}

std::optional<std::string> holder_of_lock(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (held(file.get()) != Held::by_another) return std::nullopt;
  return told_by(file.get());
}

void refuse_if_held(const std::string& path, const std::string& what, const std::string& remedy) {
  if (const auto holder = holder_of_lock(path)) refuse(what, path, *holder, remedy);
}

}  // namespace tradewind
