#include "worker/outputs/file_sink.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "common/clock.h"
#include "common/errors.h"
#include "common/files/folder.h"

namespace tradewind::outputs {
namespace {

namespace fs = std::filesystem;

// A link keeps pointing at the file it points at: that is the one to replace, also while it is not there.
std::string target_of(const std::string& path) { return target_of_links(path); }

std::string partial_name(const std::string& path) { return target_of(path) + ".partial"; }

[[noreturn]] void fail(const std::string& doing, const std::string& path, int code) {
  const char* remedy = code == ENOSPC || code == EDQUOT ? "make room there, or write elsewhere"
                       : code == EFBIG                  ? "raise the limit (ulimit -f), or write elsewhere"
                       : code == EACCES || code == EPERM || code == EROFS ? "check the permissions, or write elsewhere"
                                                                          : "";
  throw EnvironmentFault(doing + ": " + std::strerror(code), path, remedy);
}

std::string lock_name(const std::string& path) { return target_of(path) + ".lock"; }

constexpr const char* lock_remedy = "wait until that run has ended or end it, or write under another name";

// Half of the descriptors that this process may have.
std::size_t most_locks() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 4096;
  return std::min<std::size_t>(4096, limit.rlim_cur / 2);
}

// What tells a regular file from every other, also from one that has got its inode after it was removed: the inode,
// mixed with the time of its birth where the file system keeps one. 0: no regular file, or not to be known. Links are
// not followed.
std::uint64_t identity_of(int folder, const char* path, int flags) {
  struct statx known {};
  if (statx(folder, path, flags | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &known) != 0) return 0;
  if (!S_ISREG(known.stx_mode)) return 0;
  std::uint64_t identity = known.stx_ino;
  if ((known.stx_mask & STATX_BTIME) != 0) {
    const auto birth = static_cast<std::uint64_t>(known.stx_btime.tv_sec) * 1'000'000'000U + known.stx_btime.tv_nsec;
    identity ^= birth * 0x9E3779B97F4A7C15U;  // an odd factor: births that differ stay apart
  }
  return identity != 0 ? identity : 1;
}

std::uint64_t identity_of(int file) { return identity_of(file, "", AT_EMPTY_PATH); }

std::uint64_t identity_of(const std::string& path) { return identity_of(AT_FDCWD, path.c_str(), 0); }

[[noreturn]] void replaced(const std::string& partial) {
  throw EnvironmentFault("another run or somebody else has replaced the unfinished output", partial,
                         "let no two runs write the same file, and run the forecast anew");
}

}  // namespace

FileSink::FileSink(std::size_t most_pending_bytes, dist::Observer& observer, GivenStreams streams)
    : most_pending_(most_pending_bytes),
      observer_(observer),
      streams_(std::move(streams)),
      thread_([this] { run(); }) {}

FileSink::~FileSink() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const auto& [path, descriptor] : descriptors_) ::close(descriptor);
}

std::string FileSink::unfinished(const std::string& path) { return partial_name(path); }

void FileSink::claim(const std::string& path) {
  if (is_sequential(path) || locks_.contains(path)) return;
  std::error_code error;
  if (fs::is_directory(path, error)) throw UserError("the output path is a folder", path, "give the path of a file");
  const std::string target = target_of(path);
  if (const fs::path folder = fs::path(target).parent_path(); !folder.empty()) {
    fs::create_directories(folder, error);
    if (error) fail("cannot make the output's folder", folder.string(), error.value());
  }
  // Each lock keeps a descriptor: of very many files only the first have one. identities_ keeps the others apart.
  if (locks_.size() >= most_locks()) {
    ++unlocked_;
    return;
  }
  const LockFile& lock = locks_[path] =
      LockFile::take(lock_name(path), "the output " + path, lock_remedy, LockPart::writer, words_);
  if (!lock.kept()) ++unlocked_;
}

std::uint64_t FileSink::create(const std::string& path) {
  created_[path] = is_sequential(path);
  if (created_[path]) {
    const dist::FileWatch watch(observer_, dist::FileUse::write, path);
    auto opened = std::make_unique<OrderedFile>(path, streams_);
    const std::lock_guard lock(mutex_);
    ordered_[path] = std::move(opened);
    return 0;
  }
  claim(path);
  const std::string partial = partial_name(path);
  // What a killed run has left, or somebody has put there: not to be written into.
  if (unlink(partial.c_str()) != 0 && errno != ENOENT) fail("cannot replace the unfinished output", partial, errno);
  const int made = open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (made < 0) fail("cannot create the output file", partial, errno);
  const std::uint64_t identity = identity_of(made);
  const int code = errno;
  ::close(made);
  if (identity == 0) fail("cannot create the output file", partial, code);
  expect(path, identity);
  return identity;
}

void FileSink::reopen(const std::string& path, std::uint64_t size, std::uint64_t identity) {
  claim(path);
  const std::string target = target_of(path), partial = partial_name(path);
  // The attempt before may have come as far as giving it its final name. An older run's file of that name stays.
  struct stat status {};
  if (identity != 0 && lstat(partial.c_str(), &status) != 0 && identity_of(target) == identity &&
      rename(target.c_str(), partial.c_str()) != 0)
    fail("cannot go on with the output of the attempt before", target, errno);
  const int file = open(partial.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) fail("cannot go on with the output of the attempt before", partial, errno);
  const bool known = identity_of(file) == identity && fstat(file, &status) == 0;
  const bool whole = known && static_cast<std::uint64_t>(status.st_size) >= size;
  const bool cut = whole && ftruncate(file, static_cast<off_t>(size)) == 0;
  const int code = errno;
  ::close(file);
  if (!known) replaced(partial);
  if (!whole)
    throw EnvironmentFault("the output of the attempt before has " + std::to_string(status.st_size) +
                               " bytes, not the " + std::to_string(size) + " it was left with",
                           partial, "leave the output's folder alone while a forecast runs, and run the forecast anew");
  if (!cut) fail("cannot go on with the output of the attempt before", partial, code);
  created_[path] = false;
  expect(path, identity);
}

void FileSink::append(const std::string& path, std::uint64_t offset, std::string bytes) {
  std::unique_lock lock(mutex_);
  const std::size_t size = bytes.size();
  const auto begin = Clock::now();
  changed_.wait(lock, [&] { return failed_ || pending_ == 0 || pending_ + size <= most_pending_; });
  figures_.blocked_seconds += seconds_since(begin);
  rethrow();
  pending_ += size;
  figures_.most_pending_bytes = std::max(figures_.most_pending_bytes, static_cast<std::int64_t>(pending_));
  jobs_.push_back({path, offset, std::move(bytes), std::nullopt});
  changed_.notify_all();
}

void FileSink::mark(Duration step) {
  std::unique_lock lock(mutex_);
  rethrow();
  jobs_.push_back({.path = {}, .bytes = {}, .mark = step});
  changed_.notify_all();
}

OutputFigures FileSink::figures() const {
  const std::lock_guard lock(mutex_);
  OutputFigures figures = figures_;
  figures.pending_limit_bytes = static_cast<std::int64_t>(most_pending_);
  return figures;
}

void FileSink::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failed_ || (jobs_.empty() && !busy_); });
  rethrow();
  lock.unlock();
  close_all();
  for (auto& [path, stream] : ordered_) {  // the writing thread rests
    const dist::FileWatch watch(observer_, dist::FileUse::write, path);
    stream->close();
  }
  ordered_.clear();
}

void FileSink::publish() {
  // All are looked at before the first gets its name: a run that has lost one file ends with none.
  for (const auto& [path, sequential] : created_) {
    if (!sequential) check_identity(partial_name(path), expected(path));
  }
  std::set<std::string> folders;
  for (const auto& [path, sequential] : created_) {
    if (sequential) continue;
    const std::string partial = partial_name(path), target = target_of(path);
    if (rename(partial.c_str(), target.c_str()) != 0)
      fail("cannot give the output its final name " + target, partial, errno);
    folders.insert(parts_of(target).folder);
  }
  for (const std::string& folder : folders) {  // the names, too, are on disk
    const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.valid()) fsync(opened.get());
  }
  created_.clear();
  locks_.clear();
}

// Another run, where no lock keeps it out, begins its own file under the same name.
void FileSink::check_identity(const std::string& partial, std::uint64_t identity) {
  struct stat status {};
  if (lstat(partial.c_str(), &status) != 0) fail("the unfinished output is gone", partial, errno);
  if (identity_of(partial) != identity) replaced(partial);
}

void FileSink::rethrow() const {
  if (failed_) std::rethrow_exception(error_);
}

void FileSink::run() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);  // a closed pipe is an error here, not the end of the process
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    std::exception_ptr error;
    const auto begin = Clock::now();
    try {
      if (!job.mark) write(job);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    pending_ -= job.bytes.size();
    figures_.file_seconds += seconds_since(begin);
    if (!error) figures_.bytes += static_cast<std::int64_t>(job.bytes.size());
    if (job.mark && !error) {
      observer_.state_written(*job.mark);
    }
    if (error) {
      error_ = error;
      failed_ = true;
      jobs_.clear();
    }
    changed_.notify_all();
    if (failed_) return;
  }
}

int FileSink::descriptor(const std::string& path) {
  if (const auto known = descriptors_.find(path); known != descriptors_.end()) return known->second;
  if (descriptors_.size() >= 32) close_all();  // paths may hold a step or a parameter: do not keep them all open
  const std::string name = partial_name(path);
  const int opened = open(name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (opened < 0) fail("cannot open the output file", name, errno);
  const std::uint64_t identity = expected(path);
  if (identity != 0 && identity_of(opened) != identity) {
    ::close(opened);
    replaced(name);
  }
  return descriptors_[path] = opened;
}

void FileSink::expect(const std::string& path, std::uint64_t identity) {
  const std::lock_guard lock(mutex_);
  identities_[path] = identity;
}

std::uint64_t FileSink::expected(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = identities_.find(path);
  return found == identities_.end() ? 0 : found->second;
}

OrderedFile* FileSink::ordered(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = ordered_.find(path);
  return found == ordered_.end() ? nullptr : found->second.get();
}

void FileSink::write(const Job& job) {
  dist::FileWatch watch(observer_, dist::FileUse::write, job.path);
  if (OrderedFile* stream = ordered(job.path)) {
    stream->write(job.bytes, [&watch](std::size_t bytes) { watch.moved(bytes); });
    return;
  }
  const int file = descriptor(job.path);
  std::size_t done = 0;
  while (done < job.bytes.size()) {
    const ssize_t wrote =
        pwrite(file, job.bytes.data() + done, job.bytes.size() - done, static_cast<off_t>(job.offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail("cannot write the output", partial_name(job.path), errno);
    done += static_cast<std::size_t>(wrote);
    watch.moved(static_cast<std::uint64_t>(wrote));
  }
  check_still_there(file, partial_name(job.path));
}

// Writing into a file that somebody has removed would go well, and be lost.
void FileSink::check_still_there(int file, const std::string& name) const {
  struct stat status {};
  if (fstat(file, &status) == 0 && status.st_nlink == 0)
    throw EnvironmentFault("the output file was removed while it was being written", name,
                           "leave the output's folder alone while a forecast runs");
}

void FileSink::close_all() {
  const auto open_files = std::exchange(descriptors_, {});
  for (const auto& [path, file] : open_files) {
    const dist::FileWatch watch(observer_, dist::FileUse::write, path);
    const bool synced = fsync(file) == 0 || errno == EINVAL || errno == EROFS;  // not every file system can
    const int code = errno;
    const bool closed = ::close(file) == 0;
    if (!synced) fail("cannot write the output to disk", path, code);
    if (!closed) fail("cannot close the output", path, errno);
  }
}

}  // namespace tradewind::outputs
